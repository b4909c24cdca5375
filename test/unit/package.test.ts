import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'package-'));
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), text);
};

describe('the package', () => {
  it('supports import and require, with one instance between them', () => {
    const script = `
      import * as imported from 'codejail';
      import { createRequire } from 'node:module';
      const required = createRequire(${JSON.stringify(join(root, 'package.json'))})('codejail');
      const names = Object.keys(required);
      console.log(JSON.stringify({
        names,
        different: names.filter((name) => imported[name] !== required[name]),
        sameDefault: imported.default === required,
      }));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
    });
    const { names, different, sameDefault } = JSON.parse(output) as {
      names: string[];
      different: string[];
      sameDefault: boolean;
    };
    expect(names).toEqual(expect.arrayContaining(['jailCode', 'safeExec', 'createJail']));
    expect(different).toEqual([]);
    expect(sameDefault).toBe(true);
  });

  it('has types for import and for require', () => {
    const use = `
      const result: Promise<{ status: number }> = jailCode('python', { code: 'print(1)' });
      // @ts-expect-error unknown options are refused
      void jailCode('python', { cod: 'print(1)' });
      // @ts-expect-error the status is no string
      void result.then(({ status }) => status.length);
      export {};
    `;
    write('consumer.mts', `import { jailCode } from 'codejail';${use}`);
    write('consumer.cts', `import { jailCode } from 'codejail';${use}`);
    write(
      'required.cts',
      `import codejail = require('codejail'); codejail.jailCode satisfies Function;`,
    );
    mkdirSync(join(scratch, 'node_modules'));
    symlinkSync(root, join(scratch, 'node_modules/codejail'));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const files = ['consumer.mts', 'consumer.cts', 'required.cts'];
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        compiler,
        ...'--noEmit --strict --module node20 --target es2022 --types node'.split(' '),
        '--typeRoots',
        join(root, 'node_modules/@types'),
        ...files,
      ],
      { cwd: scratch, encoding: 'utf8' },
    );
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('ships what running and building need, and nothing else', () => {
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const packed = JSON.parse(output) as { files: { path: string }[] }[];
    const paths = packed[0]!.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'CHANGELOG.md',
        'binding.gyp',
        'dist/index.js',
        'dist/index.mjs',
        'dist/index.d.ts',
        'dist/index.d.mts',
        'dist/python/runner.py',
        'dist/python/template.py',
        'dist/python/cells.py',
        'native/launcher/launcher.cc',
        'native/addon/addon.cc',
      ]),
    );
    const directories = new Set(paths.map((path) => path.split('/', 1)[0]));
    for (const kept of ['test', 'scripts', 'lib', 'build', 'bench', 'examples', 'node_modules']) {
      expect(directories).not.toContain(kept);
    }
  });

  it('runs from prebuilt binaries alone, warm Python too', () => {
    const binaries = `prebuilds/linux-${process.arch}`;
    const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
    const installed = join(scratch, 'node_modules/codejail');
    mkdirSync(join(installed, binaries), { recursive: true });
    cpSync(join(root, 'package.json'), join(installed, 'package.json'));
    cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
    for (const [built, shipped] of Object.entries({
      'codejail.node': `codejail.${libc}.node`,
      'codejail-cell.so': `codejail-cell.${libc}.so`,
      'codejail-output.so': `codejail-output.${libc}.so`,
      'codejail-launcher': 'codejail-launcher',
      'codejail-probe': 'codejail-probe',
    })) {
      cpSync(join(root, 'build/Release', built), join(installed, binaries, shipped));
    }
    for (const name of Object.keys(manifest.dependencies)) {
      symlinkSync(join(root, 'node_modules', name), join(scratch, 'node_modules', name));
    }
    write(
      'server.mjs',
      `import { createJail } from 'codejail';
       const jail = createJail({ commands: { python: { bin: '/usr/bin/python3', warm: true } } });
       await jail.warmUp();
       const globals = {};
       const { confinement } = await jail.safeExec('a = 17', globals);
       console.log(globals.a, confinement.includes('warm'));
       await jail.close();`,
    );
    const server = spawnSync(process.execPath, ['server.mjs'], { cwd: scratch, encoding: 'utf8' });
    expect(server.stderr).toBe('');
    expect(server.stdout).toBe('17 true\n');
  });

  it('brings node-addon-api and node-gyp-build with it, which building at installation needs', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(
      expect.arrayContaining(['node-addon-api', 'node-gyp-build']),
    );
  });
});

describe('the set-up of a clone', () => {
  const setUp = (path = process.env['PATH']) => {
    const env: NodeJS.ProcessEnv = { ...process.env, PATH: path };
    delete env['CXX'];
    delete env['PYTHON'];
    return spawnSync(process.execPath, [join(scratch, 'scripts/setup.mjs')], {
      encoding: 'utf8',
      env,
    });
  };
  const markBuilt = () => {
    const script = `
      import { markBuilt, sourcesOf } from ${JSON.stringify(join(scratch, 'scripts/stale.mjs'))};
      for (const part of ['native', 'ts']) markBuilt(part, sourcesOf(part));
    `;
    execFileSync(process.execPath, ['--input-type=module', '--eval', script]);
  };

  beforeEach(() => {
    cpSync(join(root, 'scripts'), join(scratch, 'scripts'), { recursive: true });
    const lock = { packages: { '': {}, 'node_modules/one': { version: '1.0.0' } } };
    write('package-lock.json', JSON.stringify(lock));
    write('node_modules/.package-lock.json', JSON.stringify(lock));
    write('native/core/step.cc', '');
    write('lib/index.ts', '');
    for (const output of [
      'codejail.node',
      'codejail-launcher',
      'codejail-probe',
      'codejail-cell.so',
      'codejail-output.so',
    ]) {
      write(`build/Release/${output}`, '');
    }
    write('dist/index.js', '');
    write('dist/index.mjs', '');
    markBuilt();
  });

  it('says nothing and does nothing when all is up to date', () => {
    const { status, stdout, stderr } = setUp('');
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it.each(['native/core/step.cc', 'native/core/new.h', 'binding.gyp'])(
    'builds the native part again when %s changes',
    (path) => {
      write(path, '// changed');
      expect(setUp('').stderr).toContain('building the native part');
    },
  );

  it('builds the native part again when the launcher is gone', () => {
    rmSync(join(scratch, 'build/Release/codejail-launcher'));
    expect(setUp('').stderr).toContain('building the native part');
  });

  it('compiles TypeScript again when a source changes', () => {
    write('lib/index.ts', 'export {};');
    expect(setUp('').stderr).toContain('compiling TypeScript');
  });

  it('says what to install, for each kind of system, when tools are missing', () => {
    write('binding.gyp', '# changed');
    const { status, stderr } = setUp('');
    expect(status).toBe(1);
    for (const part of ['make', 'g++', 'python3', 'apt-get install', 'dnf install', 'apk add']) {
      expect(stderr).toContain(part);
    }
    expect(stderr).not.toContain('    at ');
  });

  it('installs when a dependency is missing or of another version', () => {
    write(
      'node_modules/.package-lock.json',
      JSON.stringify({ packages: { 'node_modules/one': { version: '0.9.0' } } }),
    );
    const { status, stderr } = setUp('');
    expect(status).toBe(1);
    expect(stderr).toContain('installing dependencies');
    expect(stderr).toContain('npm could not be started');
  });

  it('goes on after a set-up that was killed', () => {
    const { pid } = spawnSync(process.execPath, ['--eval', '']);
    write('.setup.lock', String(pid));
    write('binding.gyp', '# changed');
    expect(setUp('').stderr).toContain('building the native part');
  });
});
