// What a user does with the package, each from an empty project. `quick`: what CI tries. `tools`: what it needs besides,
// installed beside the projects, from the registry that is configured.
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as programs from './programs.mjs';
import { CaseError } from './projects.mjs';

/** Bytes that an installation may take, with all that it depends on. */
const LARGEST_INSTALLATION = 9 * 1024 * 1024;

function expectText(said, expected) {
  if (!said.includes(expected)) {
    throw new CaseError(
      `expected ${JSON.stringify(expected)}, and it said:\n${said.slice(0, 4000)}`,
    );
  }
}

const byNpm = (project, ...words) =>
  project.npm('install', '--ignore-scripts', 'codejail', ...words);

/** A program of one file, installed by npm. */
const file = (name, title, text, ...flags) => ({
  title,
  run: async (project) => {
    project.write(name, text);
    await byNpm(project);
    expectText(await project.run([process.execPath, ...flags, name]), programs.SAID);
  },
});

const [major, minor] = process.versions.node.split('.').map(Number);
const PERMISSION =
  major > 23 || (major === 23 && minor >= 5) ? '--permission' : '--experimental-permission';
const ALLOWED = [
  '--no-warnings',
  PERMISSION,
  '--allow-addons',
  '--allow-fs-read=*',
  '--allow-fs-write=*',
];

const modules = [
  { ...file('call.cjs', 'CommonJS', programs.commonJs), quick: true },
  { ...file('call.mjs', 'ES modules', programs.esm), quick: true },
  { ...file('call.cjs', 'worker_threads', programs.worker), quick: true },
  { ...file('call.cjs', 'cluster', programs.cluster), quick: true },
  { ...file('call.cjs', 'the permission model', programs.commonJs, ...ALLOWED), quick: true },
  {
    title: 'node:test',
    quick: true,
    run: async (project) => {
      project.write('call.test.mjs', programs.nodeTest);
      await byNpm(project);
      expectText(await project.run([process.execPath, '--test', 'call.test.mjs']), 'pass 1');
    },
  },
];

const installations = [
  {
    title: 'modes of what is installed',
    quick: true,
    run: async (project) => {
      await byNpm(project);
      const folder = join(project.directory, 'node_modules/@codejail');
      const names = readdirSync(folder);
      if (names.length !== 1)
        throw new CaseError(`${names.join(', ')}: only this platform's is wanted`);
      for (const name of readdirSync(join(folder, names[0]))) {
        const mode = (statSync(join(folder, names[0], name)).mode & 0o777).toString(8);
        const wanted = /^codejail-(launcher|probe)$/.test(name) ? '755' : '644';
        if (mode !== wanted) throw new CaseError(`${name} has mode ${mode}, not ${wanted}`);
      }
    },
  },
  {
    title: 'size of what is installed',
    quick: true,
    run: async (project) => {
      await byNpm(project);
      const bytes = readdirSync(join(project.directory, 'node_modules'), {
        recursive: true,
        withFileTypes: true,
      })
        .filter((entry) => entry.isFile())
        .reduce(
          (sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size,
          0,
        );
      if (bytes > LARGEST_INSTALLATION)
        throw new CaseError(`${bytes} bytes; ${LARGEST_INSTALLATION} are allowed`);
      return `${(bytes / 1024 / 1024).toFixed(1)} of ${LARGEST_INSTALLATION / 1024 / 1024} MB`;
    },
  },
  {
    title: 'no binary: the error, with machine and command',
    quick: true,
    run: async (project) => {
      project.write(
        'call.cjs',
        programs.commonJs.replace('call().then', 'call().catch(({ message }) => message).then'),
      );
      await byNpm(project, '--omit=optional');
      const said = await project.run([process.execPath, 'call.cjs']);
      for (const part of [`linux-${process.arch}`, 'is not installed', 'npx codejail build'])
        expectText(said, part);
    },
  },
  {
    title: 'codejail build without a compiler',
    quick: true,
    run: async (project) => {
      await byNpm(project, '--omit=optional');
      const command = ['node_modules/.bin/codejail', 'build'];
      expectText(await project.do(command, { status: 1 }), 'sudo apt-get install -y g++');
    },
  },
  {
    title: 'codejail build, and a call from it',
    run: async (project) => {
      project.write('call.cjs', programs.commonJs);
      await byNpm(project, '--omit=optional');
      await project.do(['node_modules/.bin/codejail', 'build'], {
        env: { PATH: process.env.PATH },
      });
      expectText(await project.run([process.execPath, 'call.cjs']), programs.SAID);
    },
  },
  {
    title: 'the command codejail, by npm exec',
    run: async (project) => {
      await byNpm(project);
      expectText(
        await project.run(['node_modules/.bin/codejail', 'run', '-c', 'print(6 * 7)']),
        '42',
      );
    },
  },
  {
    title: 'pnpm 10',
    tools: ['pnpm@10'],
    run: async (project) => {
      project.write('call.cjs', programs.commonJs);
      const { registry } = project;
      await project.do(
        project.tool(
          'pnpm/bin/pnpm.cjs',
          'add',
          'codejail',
          '--registry',
          registry,
          '--store-dir',
          join(project.home, 'pnpm'),
        ),
      );
      expectText(await project.run([process.execPath, 'call.cjs']), programs.SAID);
    },
  },
  {
    title: 'yarn 1',
    tools: ['yarn@1'],
    run: async (project) => {
      project.write('call.cjs', programs.commonJs);
      await project.do(
        project.tool(
          'yarn/bin/yarn.js',
          'add',
          'codejail',
          '--registry',
          project.registry,
          '--no-lockfile',
        ),
      );
      expectText(await project.run([process.execPath, 'call.cjs']), programs.SAID);
    },
  },
  ...['node-modules', 'pnp'].map((linker) => ({
    title: `yarn 4, ${linker}`,
    tools: ['@yarnpkg/cli-dist@4'],
    run: async (project) => {
      project.write('call.cjs', programs.commonJs);
      project.write('yarn.lock', '');
      project.write(
        '.yarnrc.yml',
        [
          `nodeLinker: ${linker}`,
          `npmRegistryServer: ${project.registry}`,
          'unsafeHttpWhitelist: ["127.0.0.1"]',
          'enableTelemetry: false',
          'enableGlobalCache: false',
          'npmMinimalAgeGate: 0',
          '',
        ].join('\n'),
      );
      const yarn = project.tool('@yarnpkg/cli-dist/bin/yarn.js');
      await project.do([...yarn, 'add', 'codejail'], { env: { CI: '' } });
      expectText(await project.run([...yarn, 'node', 'call.cjs']), programs.SAID);
    },
  })),
];

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
};

/** Type-checked, compiled, and run. */
const typescript = (title, options) => ({
  title: `TypeScript, ${title}`,
  quick: true,
  tools: ['typescript@6.0', '@types/node@20'],
  run: async (project) => {
    project.write('call.mts', programs.typescript);
    const compilerOptions = {
      ...STRICT,
      target: 'es2022',
      types: ['node'],
      outDir: 'out',
      ...options,
    };
    project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['call.mts'] }));
    await byNpm(project);
    await project.run(project.tool('typescript/bin/tsc'));
    expectText(await project.run([process.execPath, 'out/call.mjs']), programs.SAID);
  },
});

const suites = [
  typescript('nodenext', { module: 'nodenext' }),
  typescript('bundler', { module: 'esnext', moduleResolution: 'bundler' }),
  {
    title: 'Jest',
    tools: ['jest@30'],
    run: async (project) => {
      project.write('call.test.js', programs.jest);
      await byNpm(project);
      await project.run(
        project.tool(
          'jest/bin/jest.js',
          '--rootDir',
          project.directory,
          '--cacheDirectory',
          join(project.home, 'jest'),
        ),
      );
    },
  },
  {
    title: 'Vitest',
    tools: ['vite@7', 'vitest@4.1.12'],
    run: async (project) => {
      project.write('call.test.mjs', programs.vitest);
      await byNpm(project);
      await project.run(project.tool('vitest/vitest.mjs', 'run', '--root', project.directory));
    },
  },
  {
    title: 'esbuild, external',
    tools: ['esbuild@0.28'],
    run: async (project) => {
      project.write('call.mjs', programs.esm);
      await byNpm(project);
      const words = [
        'call.mjs',
        '--bundle',
        '--platform=node',
        '--format=esm',
        '--external:codejail',
        '--outfile=out.mjs',
      ];
      await project.run([join(project.home, 'node_modules/.bin/esbuild'), ...words]);
      expectText(await project.run([process.execPath, 'out.mjs']), programs.SAID);
    },
  },
  {
    title: 'webpack, external',
    tools: ['webpack@5', 'webpack-cli@6'],
    run: async (project) => {
      project.write('call.cjs', programs.commonJs);
      project.write(
        'webpack.config.cjs',
        `module.exports = { mode: 'production', target: 'node', entry: './call.cjs',
           output: { path: __dirname + '/out', filename: 'call.cjs' }, externals: { codejail: 'commonjs codejail' } };`,
      );
      await byNpm(project);
      await project.run(project.tool('webpack/bin/webpack.js', '--config', 'webpack.config.cjs'));
      expectText(await project.run([process.execPath, 'out/call.cjs']), programs.SAID);
    },
  },
  {
    title: 'a Next.js route handler',
    tools: ['next@16', 'react@19', 'react-dom@19'],
    run: runNext,
  },
];

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function runNext(project) {
  const next = project.tool('next/dist/bin/next');
  const env = { NEXT_TELEMETRY_DISABLED: '1' };
  await byNpm(project);
  project.write(
    'app/layout.js',
    'export default ({ children }) => <html><body>{children}</body></html>;',
  );
  project.write('app/page.js', 'export default () => <p>codejail</p>;');
  project.write('app/call/route.js', programs.nextRoute);
  project.write(
    'next.config.mjs',
    `export default { serverExternalPackages: ['codejail'], turbopack: { root: ${JSON.stringify(project.home)} } };`,
  );
  await project.run([...next, 'build'], { env });
  const port = await freePort();
  let child;
  const server = project.run(
    [...next, 'start', '--hostname', '127.0.0.1', '--port', String(port)],
    {
      env,
      onChild: (started) => (child = started),
    },
  );
  let ended;
  server.catch((error) => (ended = error));
  try {
    for (let tries = 0; ; tries += 1) {
      if (ended !== undefined) throw ended;
      try {
        const response = await fetch(`http://127.0.0.1:${port}/call`);
        expectText(await response.text(), programs.SAID);
        return;
      } catch (error) {
        if (error instanceof CaseError || tries === 60) throw error;
        await sleep(500);
      }
    }
  } finally {
    child.kill();
    await server.catch(() => undefined);
  }
}

/** Looks at the tarball of the main package. */
const checked = (title, tool, path, ...words) => ({
  title,
  tools: [tool],
  run: async (project) => {
    await project.do(project.tool(path, ...words, project.mainTarball));
  },
});

const checks = [
  checked('publint', 'publint@0.3', 'publint/src/cli.js', '--strict'),
  checked(
    'are the types wrong?',
    '@arethetypeswrong/cli@0.18',
    '@arethetypeswrong/cli/dist/index.js',
  ),
];

/** Other versions of Node, by the npm package of their binaries. */
const versions = [20, 22, 24, 26].map((version) => ({
  title: `Node ${version}`,
  tools: [],
  node: version,
  run: async (project, node) => {
    for (const [name, text] of [
      ['call.cjs', programs.commonJs],
      ['call.mjs', programs.esm],
    ]) {
      project.write(name, text);
    }
    await byNpm(project);
    for (const name of ['call.cjs', 'call.mjs']) {
      expectText(await project.run([node, name]), programs.SAID);
    }
    return (await project.run([node, '--version'])).trim();
  },
}));

export const cases = [...modules, ...installations, ...suites, ...checks, ...versions];
