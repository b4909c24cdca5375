import { GUARANTEE_NAMES } from '../../lib/guarantee-names';
import {
  concernsGuarantees,
  GUARANTEES,
  missingAfterFailure,
  missingAfterProbe,
  servedBy,
} from '../../lib/confinement/guarantees';
import type { HostFacts } from '../../lib/host/host';

const FACTS: HostFacts = {
  kind: 'user',
  kernel: '6.1.0',
  uid: 1000,
  gid: 1000,
  userNamespaces: { allowed: true, why: '', setting: undefined },
  landlock: 0,
  appArmor: false,
};

function failure(
  stepId: string,
  errno = 1,
  detail = '',
): Parameters<typeof missingAfterFailure>[0] {
  return { step: `the step ${stepId}`, stepId, syscall: 'clone3', errno, detail };
}

function cure(step: string, facts: Partial<HostFacts> = {}): string | undefined {
  return missingAfterFailure(failure(step), { ...FACTS, ...facts })[0]?.cure;
}

describe('the table of guarantees', () => {
  it('has every guarantee, each with what it forbids and what serves it', () => {
    expect(Object.keys(GUARANTEES)).toEqual([...GUARANTEE_NAMES]);
    for (const name of GUARANTEE_NAMES) {
      expect(GUARANTEES[name].mechanisms.length).toBeGreaterThan(0);
      expect(GUARANTEES[name].cannot).toMatch(/^[a-z].*[^.]$/);
    }
  });

  it('can’t be changed', () => {
    expect(Object.isFrozen(GUARANTEES)).toBe(true);
  });
});

describe('servedBy', () => {
  it('finds the mechanisms that are in force, by name, by version and by profile', () => {
    expect(
      servedBy('files', ['mount-namespace', 'landlock-6', 'apparmor:sandbox', 'timer']),
    ).toEqual(['mount-namespace', 'landlock-6', 'apparmor:sandbox']);
  });

  it('finds none among those of other guarantees', () => {
    expect(servedBy('kernel', ['mount-namespace', 'timer'])).toEqual([]);
  });

  it('does not take one mechanism for another whose name it begins', () => {
    expect(servedBy('time', ['timers'])).toEqual([]);
  });
});

describe('a step that failed', () => {
  it('takes with it every guarantee that it serves', () => {
    const missing = missingAfterFailure(failure('clone', 1, '/x'), FACTS);
    expect(missing.map(({ guarantee }) => guarantee)).toEqual([
      'files',
      'metadata',
      'network',
      'processes',
      'identity',
      'tasks',
      'disk',
    ]);
    expect(missing[0]?.why).toBe('step "the step clone" failed on /x (EPERM in clone3)');
  });

  it.each([
    ['an old kernel', 'clone', { kernel: '5.10.0' }, 'use Linux 5.14 or later (this is 5.10.0)'],
    ['root in a container', 'clone', { kind: 'root' as const }, 'CAP_SYS_ADMIN'],
    [
      'user namespaces that are switched off',
      'namespaces',
      {
        userNamespaces: {
          allowed: false,
          why: 'kernel.unprivileged_userns_clone is 0',
          setting: 'kernel.unprivileged_userns_clone',
        },
      },
      'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    ],
    [
      'no user namespace allowed at all',
      'namespaces',
      {
        userNamespaces: {
          allowed: false,
          why: 'user.max_user_namespaces is 0',
          setting: 'user.max_user_namespaces',
        },
      },
      'sudo sysctl -w user.max_user_namespaces=65536',
    ],
    [
      'AppArmor that restricts user namespaces',
      'idMap',
      {
        userNamespaces: {
          allowed: false,
          why: 'kernel.apparmor_restrict_unprivileged_userns is 1',
          setting: 'kernel.apparmor_restrict_unprivileged_userns',
        },
      },
      'codejail profile install --launcher',
    ],
    ['a masked /proc', 'mounts', {}, 'systempaths=unconfined'],
    ['a profile without AppArmor', 'openAppArmor', {}, 'boot with AppArmor'],
  ])('has a cure for %s', (_name, step, facts, expected) => {
    expect(cure(step, facts)).toContain(expected);
  });

  it('has a cure for a listener that is there already', () => {
    const EBUSY = 16;
    const [missing] = missingAfterFailure(failure('seccomp', EBUSY), FACTS);
    expect(missing?.cure).toContain('allowExec');
    expect(cure('seccomp')).not.toContain('allowExec');
  });

  it('tells of the host, unless something was short for the moment or the package is broken', () => {
    const EPERM = 1;
    const ENOENT = 2;
    const EAGAIN = 11;
    const EMFILE = 24;
    expect(concernsGuarantees('clone', EPERM)).toBe(true);
    expect(concernsGuarantees('clone', EMFILE)).toBe(false);
    expect(concernsGuarantees('lease', EAGAIN)).toBe(false);
    expect(concernsGuarantees('execLauncher', ENOENT)).toBe(false);
  });
});

describe('probes that got through', () => {
  it('are reported by guarantee, in the order of the table', () => {
    const missing = missingAfterProbe([
      { guarantee: 'disk', check: 'write 2 MB', seen: '2 MB' },
      { guarantee: 'files', check: 'read /etc/passwd', seen: '' },
      { guarantee: 'disk', check: 'make 20 files', seen: '20' },
    ]);
    expect(missing.map(({ guarantee, why }) => [guarantee, why])).toEqual([
      ['files', 'a probe in the jail could read /etc/passwd'],
      ['disk', 'a probe in the jail could write 2 MB (2 MB); make 20 files (20)'],
    ]);
    for (const { cure: text } of missing) {
      expect(text).not.toBe('');
    }
  });

  it('are cured by what was seen, where a check of another kind would be cured otherwise', () => {
    const core = {
      guarantee: 'processes',
      check: 'words of any kind',
      seen: '',
      id: 'core-handler',
    } as const;
    const other = { guarantee: 'processes', check: 'signal the server', seen: '' } as const;
    const hidden = (['memory', 'cpu'] as const).map((guarantee) => ({
      ...{ guarantee, check: 'words', seen: '', id: 'hide-from-sums' as const },
    }));
    const seen = {
      guarantee: 'processes',
      check: 'words',
      seen: '',
      id: 'see-processes',
    } as const;
    expect(missingAfterProbe([seen])[0]?.cure).toContain('Landlock');
    expect(missingAfterProbe([core])[0]?.cure).toContain('kernel.core_pattern=core');
    expect(missingAfterProbe([core, other])[0]?.cure).not.toContain('core_pattern');
    expect(missingAfterProbe(hidden).map(({ cure: text }) => text)).toEqual([
      expect.stringContaining('without hidepid'),
      expect.stringContaining('without hidepid'),
    ]);
  });

  it('are none where none got through', () => {
    expect(missingAfterProbe([])).toEqual([]);
  });
});
