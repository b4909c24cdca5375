// The packages as they are published: one for each platform, and the main one, which names them as optional dependencies.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root, run, ScriptError } from '../console.mjs';
import { nodeHeaders } from '../toolchain.mjs';
import { HEADERS, makePlan } from './plan.mjs';

const require = createRequire(import.meta.url);

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

/** Of every package. */
const SHARED_FIELDS = ['version', 'license', 'engines', 'repository', 'homepage', 'bugs'];

/** The package.json of a platform's package. */
export function platformManifest(manifest, { cpu, libc }) {
  const { packageName } = require('../../dist/native/platforms.js');
  const shared = SHARED_FIELDS.filter((field) => manifest[field] !== undefined);
  return {
    name: packageName({ cpu, libc }),
    description: `The native programs of codejail for Linux, ${cpu}, ${libc}`,
    ...Object.fromEntries(shared.map((field) => [field, manifest[field]])),
    os: ['linux'],
    cpu: [cpu],
    libc: [libc],
    // For Yarn: programs can't be started out of an archive.
    preferUnplugged: true,
  };
}

/** The package.json of the main package: a clone's, without what is a clone's alone. */
export function mainManifest({ devDependencies, scripts, private: _, gypfile, ...manifest }) {
  void [devDependencies, scripts, _, gypfile];
  const { packageName, PLATFORMS } = require('../../dist/native/platforms.js');
  return {
    ...manifest,
    // Not in the clone: until they are published, `npm ci` would ask a registry for whatever has these names there.
    optionalDependencies: Object.fromEntries(
      PLATFORMS.map((platform) => [packageName(platform), manifest.version]),
    ),
    preferUnplugged: true,
  };
}

function emptyDirectory(directory) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
}

/** Lays out a platform's package. `binaries`: the path of each file. */
export function layPlatform(directory, platform, binaries) {
  emptyDirectory(directory);
  const manifest = platformManifest(readJson(join(root, 'package.json')), platform);
  writeJson(join(directory, 'package.json'), manifest);
  copyFileSync(join(root, 'LICENSE'), join(directory, 'LICENSE'));
  writeFileSync(
    join(directory, 'README.md'),
    `# ${manifest.name}\n\n${manifest.description}: an optional dependency of the package codejail, ` +
      'which is what to install.\n',
  );
  for (const [name, path] of Object.entries(binaries)) {
    copyFileSync(path, join(directory, name));
    // Whatever a linker gives a library.
    chmodSync(join(directory, name), /\.(?:so|node)$/.test(name) ? 0o644 : 0o755);
  }
}

/** The headers that building from source needs, which a user's machine need not have. */
function layHeaders(directory) {
  mkdirSync(join(directory, 'uv'), { recursive: true });
  const napi = dirname(require.resolve('node-addon-api'));
  for (const name of ['napi.h', 'napi-inl.h', 'LICENSE.md']) {
    copyFileSync(join(napi, name), join(directory, name));
  }
  const node = nodeHeaders();
  if (node === undefined) {
    throw new ScriptError(
      "Node's headers are missing: name the directory above include by npm_config_nodedir",
    );
  }
  for (const name of [
    'node_api.h',
    'node_api_types.h',
    'js_native_api.h',
    'js_native_api_types.h',
    'uv.h',
  ]) {
    copyFileSync(join(node, name), join(directory, name));
  }
  cpSync(join(node, 'uv'), join(directory, 'uv'), { recursive: true });
}

/** Where the plan's headers are, in a clone that builds by it. */
export function layClone(directory) {
  emptyDirectory(directory);
  cpSync(join(root, 'native'), join(directory, 'native'), { recursive: true });
  layHeaders(join(directory, HEADERS));
}

/** Lays out the main package, of which dist/ must be built. */
export function layMain(directory) {
  emptyDirectory(directory);
  const manifest = readJson(join(root, 'package.json'));
  for (const path of [...manifest.files, 'README.md', 'LICENSE']) {
    // What is a pattern there is a directory's name here.
    const [name] = path.split('/');
    if (!existsSync(join(root, name))) {
      throw new ScriptError(`package.json names ${path}, which does not exist`);
    }
    cpSync(join(root, name), join(directory, name), { recursive: true });
  }
  layHeaders(join(directory, HEADERS));
  writeJson(join(directory, 'native/build.json'), makePlan());
  writeJson(join(directory, 'package.json'), mainManifest(manifest));
}

/** Packs a directory; resolves to the tarball's path. */
export async function pack(directory, target) {
  mkdirSync(target, { recursive: true });
  const output = await run('npm', [
    'pack',
    directory,
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    target,
  ]);
  const [{ filename }] = JSON.parse(output.slice(output.indexOf('[')));
  return join(target, filename.replace(/^@/, '').replaceAll('/', '-'));
}
