import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '../..');

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
