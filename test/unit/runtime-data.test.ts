// Which data comes along with a runtime, and where links among its modules may lead.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSystemData, linkedModules, systemData } from '../../lib/host/runtime-data';

describe('data of the system', () => {
  it('is what packages share, for every runtime', async () => {
    expect(await systemData(true)).toContain('/usr/share');
    expect(await systemData(false)).toContain('/usr/share');
  });

  it('has each version of a runtime that has a directory for each in /etc', async () => {
    const java = readdirSync('/etc').filter((name) => /^java-[\d.]+-openjdk$/.test(name));
    expect(await systemData(false)).toEqual(
      expect.arrayContaining(java.map((name) => `/etc/${name}`)),
    );
  });

  it('has what a PHP on the command line reads of each version, and not what its servers do', async () => {
    const versions = readdirSync('/etc').includes('php') ? readdirSync('/etc/php') : [];
    const found = (await systemData(false)).filter((path) => path.startsWith('/etc/php'));
    expect(found).toEqual(
      versions.flatMap((version) => [
        `/etc/php/${version}/cli`,
        `/etc/php/${version}/mods-available`,
      ]),
    );
    expect(isSystemData('/etc/php/8.2/cli', false)).toBe(true);
    expect(isSystemData('/etc/php/8.2/fpm', false)).toBe(false);
    expect(isSystemData('/etc/php/8.2/cli', true)).toBe(false);
  });

  it('names no directory that is more than one package’s, but what packages share', async () => {
    for (const path of await systemData(false)) {
      expect(path).not.toMatch(
        /^\/(?:etc|var|var\/lib|var\/cache|usr|usr\/local|usr\/local\/share)$/,
      );
      expect(path).not.toMatch(
        /passwd|shadow|group|host|resolv|machine-id|ssh|ssl|apt|systemd|security|environment/,
      );
    }
  });
});

describe('links among modules', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'modules-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('lead to what lies beside, also from a package', async () => {
    const target = join(folder, 'elsewhere/data');
    const modules = join(folder, 'modules');
    mkdirSync(target, { recursive: true });
    mkdirSync(join(modules, 'package'), { recursive: true });
    symlinkSync('../../elsewhere/data', join(modules, 'package/data'));
    expect((await linkedModules([modules])).map(({ real }) => real)).toEqual([
      realpathSync(target),
    ]);
  });

  it('do not come along where others may have made them, or may change what they lead to', async () => {
    const target = join(folder, 'elsewhere/data');
    const modules = join(folder, 'modules');
    mkdirSync(target, { recursive: true });
    mkdirSync(modules);
    symlinkSync(target, join(modules, 'data'));
    chmodSync(target, 0o777);
    expect(await linkedModules([modules])).toEqual([]);
    chmodSync(target, 0o755);
    chmodSync(modules, 0o777);
    expect(await linkedModules([modules])).toEqual([]);
  });

  it('lead to software of the host, and the links on the way come along', async () => {
    symlinkSync('second', join(folder, 'first'));
    symlinkSync('/usr/lib/os-release', join(folder, 'second'));
    const found = await linkedModules([folder]);
    expect(found.map(({ real }) => real)).toEqual(['/usr/lib/os-release', '/usr/lib/os-release']);
    expect(found.flatMap(({ links }) => links.map(({ path }) => path))).toContain(
      join(folder, 'second'),
    );
  });

  it.each([
    ...[
      '/',
      '/etc',
      '/etc/passwd',
      '/usr',
      '/usr/bin',
      '/root',
      '/proc/self',
      '/dev',
      '/tmp',
      '/home',
    ],
    ...['/var/lib/dpkg/status', '/run', '/boot', '/root/.bashrc', '/opt'],
  ])('do not lead to %s', async (target) => {
    symlinkSync(target, join(folder, 'link'));
    mkdirSync(join(folder, 'plain'));
    expect(await linkedModules([folder])).toEqual([]);
  });

  it('are no error where they lead nowhere, or there is no directory', async () => {
    symlinkSync('nothing', join(folder, 'link'));
    symlinkSync('loop', join(folder, 'loop'));
    expect(await linkedModules([folder, join(folder, 'none'), '/bin/true'])).toEqual([]);
  });
});
