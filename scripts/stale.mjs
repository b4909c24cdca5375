// Whether what was made (node_modules, build/, dist/) still belongs to what it was made from.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './console.mjs';

const nativeOutputs = (build) =>
  [
    'codejail.node',
    'codejail-launcher',
    'codejail-probe',
    'codejail-cell.so',
    'codejail-output.so',
  ].map((name) => `${build}/Release/${name}`);

/** What is built, from what, and how it is known to be complete. */
export const parts = {
  native: {
    title: 'building the native part',
    sources: ['binding.gyp', 'native'],
    stamp: 'build/.sources',
    outputs: nativeOutputs('build'),
  },
  // Of test:native alone: `build/` is left as it is.
  sanitized: {
    title: 'building the native part under sanitizers',
    sources: ['binding.gyp', 'native', 'scripts/sanitized'],
    stamp: 'build-sanitized/.sources',
    outputs: nativeOutputs('build-sanitized/build'),
  },
  // Of test:arm64 alone.
  arm64: {
    title: 'building the native part for arm64',
    sources: ['binding.gyp', 'native', 'scripts/prebuilds', 'test/native'],
    stamp: 'build-prebuilds/.arm64-sources',
    outputs: [
      ...['codejail-launcher', 'codejail-probe'].map((name) => `linux-arm64-static/${name}`),
      ...['codejail.node', 'codejail-cell.so', 'codejail-output.so'].map(
        (name) => `linux-arm64-glibc/${name}`,
      ),
      'linux-arm64-test/filter',
    ].map((path) => `build-prebuilds/out/${path}`),
  },
  ts: {
    title: 'compiling TypeScript',
    sources: ['lib', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    stamp: 'dist/.sources',
    outputs: ['dist/index.js', 'dist/index.mjs'],
  },
};

function filesBelow(path) {
  const full = join(root, path);
  if (!existsSync(full)) {
    return [];
  }
  if (!statSync(full).isDirectory()) {
    return [path];
  }
  return readdirSync(full)
    .filter((name) => name !== '__pycache__' && !name.startsWith('.'))
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

function digest(part) {
  const hash = createHash('sha256');
  hash.update(`${process.arch} ${process.version.split('.')[0]}`);
  for (const path of parts[part].sources.flatMap(filesBelow)) {
    hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex');
}

/** Whether the part (`native` or `ts`) has to be built again. */
export function isStale(part) {
  const { stamp, outputs } = parts[part];
  if (!outputs.every((path) => existsSync(join(root, path)))) {
    return true;
  }
  const path = join(root, stamp);
  return !existsSync(path) || readFileSync(path, 'utf8') !== digest(part);
}

/** The state of the part's sources now; give it to `markBuilt` when the build that starts now is done. */
export const sourcesOf = digest;

/** Notes that the part was built from these sources. */
export function markBuilt(part, sources) {
  const path = join(root, parts[part].stamp);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, sources);
}

/** Whether node_modules of a folder holds exactly the packages of its package-lock.json. */
export function dependenciesAreStale(directory = root) {
  const lock = join(directory, 'package-lock.json');
  const installed = join(directory, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) {
    return true;
  }
  const want = JSON.parse(readFileSync(lock, 'utf8')).packages;
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(want).some(
    ([path, { version, optional }]) =>
      path !== '' &&
      have[path]?.version !== version &&
      !(optional === true && have[path] === undefined),
  );
}
