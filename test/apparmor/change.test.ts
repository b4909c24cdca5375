// The change of profile: what it gives, and that nothing runs where it can't be relied upon. The profiles are those
// of scripts/machine/profiles.mjs.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { profileOptionsFor, renderProfile } from '../../lib/apparmor/profile';
import { Command } from '../../lib/command/command';
import { parseCommandOptions } from '../../lib/options/command';
import { DEFAULT_UID_POOL } from '../../lib/confinement/plan';
import { createJail, type JailOptions } from '../../lib/index';
import { native } from '../../lib/native/addon';
import { describeWithAppArmor } from '../support/apparmor';
import { callFrom, type CallerOutcome } from '../support/caller';

const LABEL = 'print(open("/proc/self/attr/current").read().strip())';

function jailOf(profile: string): JailOptions {
  return { commands: { python: { bin: '/usr/bin/python3', profile } } };
}

function warmJailOf(profile: string): JailOptions {
  return {
    commands: { python: { bin: '/usr/bin/python3', profile, warm: { size: 1, memoryReserve: 0 } } },
  };
}

function under(profile: string): string[] {
  return ['aa-exec', '-p', profile, '--'];
}

function expectUnconfined(outcome: CallerOutcome, cure: RegExp): void {
  expect(outcome).toMatchObject({
    error: 'ERR_CODEJAIL_UNCONFINED',
    missing: [{ guarantee: 'files', cure: expect.stringMatching(cure) as string }],
  });
}

describeWithAppArmor('the change of profile', () => {
  it('confines the program, and says so', async () => {
    const { stdout, stderr, confinement } = await callFrom(
      ['env'],
      jailOf('codejail-test-python'),
      LABEL,
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'codejail-test-python (enforce)\n', stderr: '' });
    expect(confinement).toContain('apparmor:codejail-test-python');
  });

  it('is proved by the probe of verify(), in a program after its exec', async () => {
    const report = await createJail(jailOf('codejail-test-python')).verify('python');
    expect(report.missing).toEqual([]);
    expect(report.checks).toContainEqual({
      guarantee: 'files',
      check: 'run without its AppArmor profile',
      held: true,
      seen: 'codejail-test-python (enforce)',
    });
  });

  it('denies the call where the profile is not loaded, and names the command that loads it', async () => {
    const outcome = await callFrom(['env'], jailOf('codejail-no-such-profile'), LABEL);
    expectUnconfined(outcome, /apparmor_parser --replace \S+codejail-no-such-profile/);
  });

  it('denies the call where the profile is in complain mode, and names aa-enforce', async () => {
    const outcome = await callFrom(['env'], jailOf('codejail-test-complain'), LABEL);
    expectUnconfined(outcome, /aa-enforce codejail-test-complain/);
  });

  it('denies the call where the profile only labels, as "unconfined" does', async () => {
    const outcome = await callFrom(['env'], jailOf('unconfined'), LABEL);
    expect(outcome.error).toBe('ERR_CODEJAIL_UNCONFINED');
  });

  it.each(['codejail-test-python//&unconfined', 'codejail-test-python (enforce)', ':root:x'])(
    'denies the name %j, which is no name of one profile',
    async (name) => {
      const outcome = await callFrom(['env'], jailOf(name), LABEL);
      expect(outcome.error).toMatch(/ERR_CODEJAIL_(UNCONFINED|INVALID_ARGUMENT)/);
    },
  );
});

describeWithAppArmor('a process that waits for a call', () => {
  it('changes to the profile itself, and says so', async () => {
    const outcome = await callFrom(['env'], warmJailOf('codejail-test-python'), LABEL);
    expect(outcome).toMatchObject({ stdout: 'codejail-test-python (enforce)\n', stderr: '' });
    expect(outcome.confinement).toEqual(
      expect.arrayContaining(['apparmor:codejail-test-python', 'warm']),
    );
  });

  it('is proved by the probe of verify() too', async () => {
    const jail = createJail(warmJailOf('codejail-test-python'));
    try {
      const { cells } = await jail.verify('python');
      expect(cells?.filter(({ held }) => !held)).toEqual([]);
      expect(cells).toContainEqual({
        guarantee: 'files',
        check: 'run without its AppArmor profile',
        held: true,
        seen: 'codejail-test-python (enforce)',
      });
    } finally {
      await jail.close();
    }
  });

  it('changes, or adds the profile, where the caller is confined itself', async () => {
    const changes = await callFrom(
      under('codejail-test-caller-changes'),
      warmJailOf('codejail-test-python'),
      LABEL,
    );
    expect(changes).toMatchObject({ stdout: 'codejail-test-python (enforce)\n' });
    expect(changes.confinement).toContain('warm');
    const stacks = await callFrom(
      under('codejail-test-caller-stacks'),
      warmJailOf('codejail-test-python'),
      LABEL,
    );
    expect(stacks.stdout).toMatch(/\/\/&.* \(enforce\)\n$/);
    expect(stacks.confinement).toContain('warm');
  });

  it('is refused where the profile is not loaded', async () => {
    const outcome = await callFrom(['env'], warmJailOf('codejail-no-such-profile'), LABEL);
    expectUnconfined(outcome, /apparmor_parser --replace \S+codejail-no-such-profile/);
  });
});

describeWithAppArmor('a caller that is confined itself', () => {
  it('is refused where its profile has no rule for the change, with the rule that it needs', async () => {
    const outcome = await callFrom(
      under('codejail-test-caller'),
      jailOf('codejail-test-python'),
      LABEL,
    );
    expectUnconfined(outcome, /confined, by codejail-test-caller: .*change_profile -> /);
  });

  it('changes where its profile has the rule', async () => {
    const { stdout } = await callFrom(
      under('codejail-test-caller-changes'),
      jailOf('codejail-test-python'),
      LABEL,
    );
    expect(stdout).toBe('codejail-test-python (enforce)\n');
  });

  it('adds the profile to its own where it may only do that', async () => {
    const { stdout, message } = await callFrom(
      under('codejail-test-caller-stacks'),
      jailOf('codejail-test-python'),
      LABEL,
    );
    expect({ stdout, message }).toEqual({
      stdout: expect.stringMatching(
        /^codejail-test-(caller-stacks\/\/&codejail-test-python|python\/\/&codejail-test-caller-stacks) \(enforce\)\n$/,
      ) as string,
      message: undefined,
    });
  });

  it('adds the profile to its own where no_new_privs was set before', async () => {
    const { stdout, message } = await callFrom(
      [...under('codejail-test-caller-stacks'), 'setpriv', '--no-new-privs'],
      jailOf('codejail-test-python'),
      LABEL,
    );
    expect({ stdout, message }).toEqual({
      stdout: expect.stringContaining('//&') as string,
      message: undefined,
    });
  });
});

const stockContainer = process.getuid?.() === 0 ? describeWithAppArmor : describe.skip;
stockContainer('a stock container (root only)', () => {
  const container = ['python3', join(__dirname, '..', 'support', 'stock_container.py')];
  const options: JailOptions = {
    ...jailOf('codejail-test-python'),
    allowMissing: ['metadata', 'disk'],
  };
  // Landlock leaves a program no /proc there.
  const code = [
    'print("runs", flush=True)',
    'try: open("tmp/code", "w").write("x"); import mmap, os; mmap.mmap(os.open("tmp/code", os.O_RDONLY), 1, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)',
    'except OSError as error: print(error.strerror)',
  ].join('\n');

  it.each([
    ['that is not confined', []],
    ['whose profile has the rule', under('codejail-test-caller-changes')],
    ['that may add a profile', under('codejail-test-caller-stacks')],
  ])('%s changes to the profile, and says so', async (_name, caller) => {
    const outcome = await callFrom(
      [...caller, ...container],
      { ...options, limits: { fsize: 1000 } },
      code,
    );
    expect(outcome).toMatchObject({ stdout: 'runs\nPermission denied\n', stderr: '' });
    expect(outcome.confinement).toEqual(
      expect.arrayContaining(['apparmor:codejail-test-python', 'uid-pool', 'missing:disk']),
    );
  });

  it('leaves its launcher the account of the jail, without a denial in the log of the host', async () => {
    // The log forgets its oldest lines: only what comes after this one counts.
    const mark = `change.test ${process.pid} ${Date.now()}`;
    writeFileSync('/dev/kmsg', mark);
    const { stdout } = await callFrom(container, options, 'print(sum(range(3_000_000)))');
    expect(stdout).toBe('4499998500000\n');
    const [, since = ''] = execFileSync('dmesg', { encoding: 'utf8', maxBuffer: 1 << 28 }).split(
      mark,
    );
    expect(since.split('\n').filter((line) => line.includes('cpu.stat'))).toEqual([]);
  });

  it('is refused where its profile has no rule for the change, with the rule that it needs', async () => {
    const outcome = await callFrom([...under('codejail-test-caller'), ...container], options, code);
    expectUnconfined(outcome, /confined, by codejail-test-caller: .*change_profile -> /);
  });

  it('is refused where the profile is not loaded, and names the command that loads it', async () => {
    const missing = { ...options, ...jailOf('codejail-no-such-profile') };
    const outcome = await callFrom(container, missing, code);
    expectUnconfined(outcome, /apparmor_parser --replace \S+codejail-no-such-profile/);
  });
});

const GOING = `codejail-test-going-${process.pid}`;
const SAYS_BOTH = [
  'import sys',
  'label = lambda: print(open("/proc/self/attr/current").read().strip(), flush=True)',
  'label()',
  'sys.stdin.read()',
  'label()',
].join('\n');

function parse(action: '--replace' | '--remove', text: string): void {
  execFileSync('apparmor_parser', [action, '--skip-cache'], { input: text });
}

/** The profile of the suites, by a name of its own. */
async function goingProfile(): Promise<string> {
  const command = new Command('python', parseCommandOptions({ bin: '/usr/bin/python3' }));
  const launcher = native().launcher;
  const rest = { name: GOING, launcher, abi: '3.0', allowExec: false } as const;
  return renderProfile(await profileOptionsFor(await command.runtime(DEFAULT_UID_POOL), rest));
}

describeWithAppArmor('a profile that is changed while a program runs', () => {
  const test_ = process.getuid?.() === 0 ? it.each : it.skip.each;

  test_<[change: string, mode: string, options: JailOptions]>([
    ['removed', 'cold', jailOf(GOING)],
    ['removed', 'warm', warmJailOf(GOING)],
    ['set to complain', 'cold', jailOf(GOING)],
    ['loaded anew', 'cold', jailOf(GOING)],
  ])(
    'and %s is named in a result only where it held to the end (%s, root only)',
    async (change, mode, options) => {
      const text = await goingProfile();
      const log: string[] = [];
      parse('--replace', text);
      const jail = createJail({
        ...options,
        limits: { realtime: 120, cpu: 60 },
        logger: (level, message) => log.push(`${level}: ${message}`),
      });
      try {
        if (mode === 'warm') {
          await jail.warmUp();
        }
        let hasBegun: () => void = () => undefined;
        const begun = new Promise<void>((resolve) => {
          hasBegun = resolve;
        });
        async function* stdin(): AsyncGenerator<string> {
          await begun;
          if (change === 'removed') {
            parse('--remove', text);
          } else {
            parse(
              '--replace',
              change === 'loaded anew' ? text : text.replace('flags=(', 'flags=(complain, '),
            );
          }
          yield '';
        }
        const { stdout, confinement } = await jail.jailCode('python', {
          code: SAYS_BOTH,
          stdin: stdin(),
          onStdout: hasBegun,
        });
        const [before, after] = stdout.toString().split('\n');
        expect(before).toBe(`${GOING} (enforce)`);
        const held = change === 'loaded anew';
        expect(after === before).toBe(held);
        expect(confinement.includes(`apparmor:${GOING}`)).toBe(held);
        expect(confinement).toContain('seccomp');
        const told = log.filter((line) => line.startsWith('warn: ') && line.includes(GOING));
        expect(told).toHaveLength(held ? 0 : 1);
        if (change === 'removed') {
          await expect(jail.jailCode('python', { code: '1' })).rejects.toMatchObject({
            message: expect.stringContaining('AppArmor') as string,
          });
        }
      } finally {
        await jail.close();
        if (change !== 'removed') {
          parse('--remove', text);
        }
      }
    },
  );
});

const knowsPolicy4 = (() => {
  try {
    return readFileSync('/sys/kernel/security/apparmor/profiles', 'utf8').includes(
      'codejail-test-no-userns',
    );
  } catch {
    return process.getuid?.() !== 0;
  }
})();
const why = knowsPolicy4 ? '' : ' (needs a parser of AppArmor’s policy 4.0)';
const isOrdinary = process.getuid?.() !== 0;

describeWithAppArmor(`a host that denies user namespaces to programs in general${why}`, () => {
  const test_ = knowsPolicy4 && isOrdinary ? it : it.skip;
  const suffix = isOrdinary ? '' : ' (concerns ordinary users)';

  test_(`denies the call without a rule for them${suffix}`, async () => {
    const outcome = await callFrom(
      under('codejail-test-no-userns'),
      jailOf('codejail-test-4'),
      LABEL,
    );
    expect(outcome.error).toBe('ERR_CODEJAIL_UNCONFINED');
    expect(outcome.missing?.[0]?.why).toContain('make the namespaces');
  });

  test_(
    `allows it by the profile of the launcher, which gives them to that path alone${suffix}`,
    async () => {
      const { stdout, message } = await callFrom(
        under('codejail-test-launcher-caller'),
        jailOf('codejail-test-4'),
        LABEL,
      );
      expect({ stdout, message }).toEqual({
        stdout: 'codejail-test-4 (enforce)\n',
        message: undefined,
      });
    },
  );
});
