import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
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
import type { Target } from '../../lib/build/plan';
import { libc } from '../../lib/native/libc';
import { BINARIES, GLIBC_FLOOR, packageName, PLATFORMS } from '../../lib/native/platforms';

const root = join(__dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

interface Manifest {
  version: string;
  homepage: string;
  bugs: { url: string };
  repository: { url: string };
  cpu: string[];
  files: string[];
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
}

/** What an expression over the functions of a script comes to, as JSON; `given` is `$` in it. */
function byScript(name: string, expression: string, given: unknown = null): unknown {
  const script = `
    import * as module from ${JSON.stringify(join(root, 'scripts/prebuilds', name))};
    const { mainManifest, platformManifest, makePlan } = { ...module };
    const $ = JSON.parse(process.argv[1]);
    console.log(JSON.stringify(${expression}));
  `;
  const words = ['--input-type=module', '--eval', script, JSON.stringify(given)];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' }));
}

/** What is in the package of the clone as it is. */
function packedPaths(): string[] {
  const words = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  const output = execFileSync('npm', words, { cwd: root, encoding: 'utf8', stdio: [...stdio] });
  const [packed] = JSON.parse(output) as { files: { path: string }[] }[];
  return packed!.files.map(({ path }) => path);
}

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

  it('says where it comes from, and asks for no money', () => {
    const { repository, homepage, bugs } = manifest;
    const [, address = ''] = /^git\+(https:.*)\.git$/.exec(repository.url) ?? [];
    expect(address).not.toBe('');
    expect(homepage).toContain(address);
    expect(bugs.url).toBe(`${address}/issues`);
    expect(manifest).not.toHaveProperty('funding');
  });

  it('ships the source of each declaration, to which an editor goes', () => {
    const paths = packedPaths();
    const maps = paths.filter((path) => /\.d\.m?ts\.map$/.test(path));
    expect(maps.length).toBeGreaterThan(100);
    expect(paths.filter((path) => /\.d\.m?ts$/.test(path))).toHaveLength(maps.length);
    const missing = maps.flatMap((path) => {
      const { sources } = JSON.parse(readFileSync(join(root, path), 'utf8')) as {
        sources: string[];
      };
      return sources
        .map((source) => join(dirname(path), source))
        .filter((source) => !paths.includes(source));
    });
    expect(missing).toEqual([]);
  });

  it('ships what running and building need, and nothing else', () => {
    const paths = packedPaths();
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'CHANGELOG.md',
        'lib/index.ts',
        'dist/index.js',
        'dist/index.mjs',
        'dist/index.d.ts',
        'dist/index.d.mts',
        'dist/index.d.ts.map',
        'dist/python/runner.py',
        'dist/python/perform.py',
        'dist/python/template.py',
        'dist/python/cells.py',
        'native/launcher/launcher.cc',
        'native/addon/addon.cc',
      ]),
    );
    const directories = new Set(paths.map((path) => path.split('/', 1)[0]));
    for (const kept of [
      'binding.gyp',
      'site',
      'test',
      'scripts',
      'build',
      'bench',
      'examples',
      'node_modules',
    ]) {
      expect(directories).not.toContain(kept);
    }
  });

  it('names in one place the platforms that there are binaries for', () => {
    const { optionalDependencies } = byScript('packages.mjs', 'mainManifest($)', manifest) as {
      optionalDependencies: Record<string, string>;
    };
    const names = PLATFORMS.map((platform) => packageName(platform));
    expect(Object.keys(optionalDependencies)).toEqual(names);
    // Of exactly this version: the two halves know one another's structures.
    expect(new Set(Object.values(optionalDependencies))).toEqual(new Set([manifest.version]));
    for (const platform of PLATFORMS) {
      expect(
        byScript('packages.mjs', 'platformManifest($[0], $[1])', [manifest, platform]),
      ).toMatchObject({
        name: packageName(platform),
        version: manifest.version,
        os: ['linux'],
        cpu: [platform.cpu],
        libc: [platform.libc],
      });
    }
    expect(manifest.cpu).toEqual([...new Set(PLATFORMS.map(({ cpu }) => cpu))]);
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`glibc ${GLIBC_FLOOR}`);
  });

  it('has no script that runs at installation, nor what a package manager would build by itself', () => {
    expect(byScript('packages.mjs', 'mainManifest($)', manifest)).not.toHaveProperty('scripts');
    expect(manifest.files).not.toContain('binding.gyp');
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
      expect(manifest.scripts).not.toHaveProperty(script);
    }
  });

  it('builds by the plan what node-gyp builds', () => {
    const plan = byScript('plan.mjs', 'makePlan()') as Target[];
    expect(plan.map(({ file }) => file).sort()).toEqual(Object.values(BINARIES).sort());
    for (const { sources, compile } of plan) {
      expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
      expect(compile).toEqual(
        expect.arrayContaining(['-std=c++17', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2']),
      );
      expect(compile.filter((word) => /[<@()]/.test(word))).toEqual([]);
    }
  });

  it('justifies each dependency', () => {
    const text = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
    for (const name of Object.keys(manifest.dependencies)) {
      expect(text).toContain(`| \`${name}\` |`);
    }
  });

  describe('where it is installed', () => {
    const platform = packageName({ cpu: process.arch, libc: libc() });
    const call = (code: string) => {
      write('server.mjs', code);
      return spawnSync(process.execPath, ['server.mjs'], { cwd: scratch, encoding: 'utf8' });
    };
    const failing = () =>
      call(`import { jailCode } from 'codejail';
            await jailCode('python', { code: '1' }).catch(({ message }) => console.log(message));`);
    const putMain = () => {
      const installed = join(scratch, 'node_modules/codejail');
      mkdirSync(installed, { recursive: true });
      cpSync(join(root, 'package.json'), join(installed, 'package.json'));
      cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
      for (const name of Object.keys(manifest.dependencies)) {
        symlinkSync(join(root, 'node_modules', name), join(scratch, 'node_modules', name));
      }
    };
    const putBinaries = (version = manifest.version) => {
      const directory = join(scratch, 'node_modules', platform);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: platform, version }));
      for (const file of Object.values(BINARIES)) {
        cpSync(join(root, 'build/Release', file), join(directory, file));
      }
      return directory;
    };
    beforeEach(putMain);

    it('runs from the package of its platform, warm Python too', () => {
      putBinaries();
      const server = call(
        `import { createJail } from 'codejail';
         const jail = createJail({ commands: { python: { bin: '/usr/bin/python3', warm: true } } });
         await jail.warmUp();
         const globals = {};
         const { confinement } = await jail.safeExec('a = 17', globals);
         console.log(globals.a, confinement.includes('warm'));
         await jail.close();`,
      );
      expect(server.stderr).toBe('');
      expect(server.stdout).toBe('17 true\n');
    });

    it('says where there is no binary what machine it is, and the command that builds one', () => {
      const { stdout } = failing();
      expect(stdout).toContain(`linux-${process.arch}, ${libc()}`);
      expect(stdout).toContain(`${platform} is not installed`);
      expect(stdout).toContain('npx codejail build');
    });

    it('refuses binaries of another version', () => {
      putBinaries('0.0.1');
      expect(failing().stdout).toMatch(/is version 0\.0\.1, and codejail .* install both alike/);
    });

    it('says what the dynamic loader said, and the command that builds one', () => {
      const directory = putBinaries();
      writeFileSync(join(directory, BINARIES.addon), 'not an ELF file');
      const { stdout } = failing();
      expect(stdout).toMatch(
        /can't be loaded on this machine \(linux-.*(invalid ELF header|file too short)/,
      );
      expect(stdout).toContain('npx codejail build');
    });

    it('loads what was built here before that', () => {
      writeFileSync(join(putBinaries(), BINARIES.addon), 'not an ELF file');
      cpSync(join(root, 'build/Release'), join(scratch, 'node_modules/codejail/build/Release'), {
        recursive: true,
        filter: (path) => !path.includes('obj.target'),
      });
      expect(failing().stdout).toBe('');
    });

    it('refuses binaries that others may write, with the directory to cure', () => {
      chmodSync(join(putBinaries(), BINARIES.addon), 0o666);
      const { stdout } = failing();
      expect(stdout).toContain('codejail.node may be written by everybody');
      expect(stdout).toContain(`chmod -R go-w ${join(scratch, 'node_modules', platform)}`);
    });
  });
});
