// The profiles as text: what is filled in, and what can't be.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ABIS,
  PARSER_OPTIONS,
  profileOptionsFor,
  renderLauncherProfile,
  renderProfile,
  type ProfileOptions,
} from '../../lib/apparmor/profile';
import { find } from '../support/runtime';

const OPTIONS: ProfileOptions = {
  name: 'codejail-python',
  kind: 'python',
  executables: ['/usr/bin/python3.11'],
  environment: '/srv/grader env',
  readPaths: ['/srv/data.csv'],
  launcher: '/usr/lib/node_modules/codejail/build/Release/codejail-launcher',
  abi: '3.0',
};

/** The rules without their comments. */
function rulesOf(profile: string): string[] {
  return profile
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the samples', () => {
  it('are what the templates render', () => {
    const script = join(__dirname, '../../scripts/render-profiles.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('the profile of a command', () => {
  it('lets the binary and the probe run, and nothing else', () => {
    const executing = rulesOf(renderProfile(OPTIONS)).filter(
      (rule) => / [a-z]*x,$/.test(rule) && !rule.startsWith('network'),
    );
    expect(executing).toEqual([
      'audit deny /tmp/codejail-????????/tmp/** mx,',
      '"/usr/bin/python3.11" mrix,',
      '"/usr/lib/node_modules/codejail/build/Release/codejail-probe" mrix,',
    ]);
  });

  it('writes in tmp, to shared memory and to two devices only', () => {
    const writing = rulesOf(renderProfile(OPTIONS)).filter((rule) => / r?w\w*,$/.test(rule));
    expect(writing).toEqual([
      'owner /tmp/codejail-????????/tmp/ rw,',
      'owner /tmp/codejail-????????/tmp/** rwlk,',
      'owner /dev/codejail-shm/ rw,',
      'owner /dev/codejail-shm/** rwlk,',
      '/dev/{null,full} rw,',
    ]);
  });

  it('reads the environment and the further paths', () => {
    const rules = rulesOf(renderProfile(OPTIONS));
    for (const path of ['/srv/grader env', '/srv/data.csv']) {
      expect(rules).toContain(`"${path}/**" r,`);
      expect(rules).toContain(`"${path}/**.so*" mr,`);
    }
  });

  it('has no rule without a reason above it', () => {
    for (const kind of ['python', 'program'] as const) {
      const paragraphs = renderProfile({ ...OPTIONS, kind }).split('\n\n');
      for (const paragraph of paragraphs.filter((text) => /,$/m.test(text))) {
        expect(paragraph).toMatch(/^ *#|audit deny|include if exists/);
      }
    }
  });

  it('denies user namespaces by name where the policy knows them', () => {
    expect(renderProfile({ ...OPTIONS, abi: '4.0' })).toContain('audit deny userns,');
    expect(renderProfile(OPTIONS)).not.toContain('userns');
  });

  it('lets a program run what it has written only where the command allows it', () => {
    const profile = renderProfile({ ...OPTIONS, kind: 'program', allowExec: true });
    expect(rulesOf(profile)).toContain('/tmp/codejail-????????/** mrix,');
    expect(profile).not.toContain('mx,');
  });

  it.each([
    ['name', { name: 'a b' }],
    ['name', { name: 'x{}\n/** rwix' }],
    ['name', { name: 'a//&unconfined' }],
    ['name', { name: '' }],
    ['executables', { executables: [] }],
    ['executables[0]', { executables: ['/usr/bin/*'] }],
    ['executables[0]', { executables: ['python3'] }],
    ['environment', { environment: '/srv/x" rw, "/etc' }],
    ['environment', { environment: '/srv/x\n/** rwix,' }],
    ['environment', { environment: '/srv/@{HOME}' }],
    ['environment', { environment: '/srv/../etc' }],
    ['environment', { environment: '/usr' }],
    ['environment', { environment: '/' }],
    ['readPaths[1]', { readPaths: ['/srv/a', '/srv/[a-z]'] }],
    ['readPaths[0]', { readPaths: ['/proc/1'] }],
    ['readPaths[0]', { readPaths: ['/etc'] }],
    ['launcher', { launcher: '/srv/a\\b' }],
    ['abi', { abi: '2.0' as '3.0' }],
  ])('refuses a value of `%s` that would change its meaning', (argument, change) => {
    expect(() => renderProfile({ ...OPTIONS, ...change })).toThrow(
      expect.objectContaining({ code: 'ERR_CODEJAIL_INVALID_ARGUMENT', argument }) as Error,
    );
  });

  it('names the real binary: AppArmor sees no symlinks', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'profile-'));
    try {
      const link = join(folder, 'shell');
      symlinkSync('/bin/sh', link);
      const { name, launcher, abi } = OPTIONS;
      const found = await profileOptionsFor(await find(link), { name, launcher, abi });
      expect(found).toMatchObject({ kind: 'program', readPaths: [] });
      expect(found.executables).toEqual([expect.stringMatching(/^\/usr\/bin\/|^\/bin\//)]);
      expect(found.executables[0]).not.toBe(link);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the profile of the launcher', () => {
  it('gives user namespaces to the launcher alone', () => {
    const rules = rulesOf(renderLauncherProfile({ launcher: OPTIONS.launcher }));
    expect(rules).toEqual([
      'abi <abi/4.0>,',
      `profile codejail-launcher "${OPTIONS.launcher}" flags=(unconfined) {`,
      'userns,',
      'include if exists <local/codejail-launcher>',
      '}',
    ]);
  });

  it('refuses a path that is a pattern', () => {
    expect(() => renderLauncherProfile({ launcher: '/**' })).toThrow(/launcher/);
  });
});

const parser = ['/sbin/apparmor_parser', '/usr/sbin/apparmor_parser'].find(existsSync);

describe('apparmor_parser', () => {
  for (const abi of ABIS) {
    const features = `/etc/apparmor.d/abi/${abi}`;
    const lacking =
      parser === undefined
        ? ' (needs the package apparmor)'
        : existsSync(features)
          ? ''
          : ` (needs AppArmor ${abi})`;
    (lacking === '' ? it : it.skip)(
      `takes the profiles of ${abi} without a warning${lacking}`,
      () => {
        const folder = mkdtempSync(join(tmpdir(), 'profile-'));
        try {
          const profiles = [
            renderProfile({ ...OPTIONS, abi }),
            renderProfile({ ...OPTIONS, abi, kind: 'program', allowExec: true }),
            ...(abi === '4.0' ? [renderLauncherProfile({ launcher: OPTIONS.launcher })] : []),
          ];
          for (const [index, text] of profiles.entries()) {
            const file = join(folder, String(index));
            writeFileSync(file, text);
            const { status, stderr } = spawnSync(
              parser ?? '',
              ['--stdout', '--skip-cache', '--kernel-features', features, ...PARSER_OPTIONS, file],
              { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' },
            );
            expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
          }
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    );
  }
});
