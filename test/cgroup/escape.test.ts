// A jail can't see, change or leave its cgroup.
import { useAttackedJail, expectDenied, outcomes } from '../escape/attack';
import { describeWithCgroups, jailCgroups } from '../support/cgroup';

jest.setTimeout(240_000);
const attacked = useAttackedJail();

const GENEROUS = { realtime: 60, cpu: 20 };

describeWithCgroups('a program in a cgroup', () => {
  it('sees itself at the root of all cgroups', async () => {
    const found = await outcomes(
      attacked.jail,
      `say('self', open('/proc/self/cgroup').read().strip())
say('parent', open(f'/proc/{os.getppid()}/cgroup').read().strip() if os.access(f'/proc/{os.getppid()}/cgroup', os.R_OK) else '')`,
      { limits: GENEROUS },
    );
    expect(found['self']).toBe('0::/');
    expect(['', '0::/']).toContain(found['parent']);
  });

  it('finds no cgroup file system, and can mount none', async () => {
    const found = await outcomes(
      attacked.jail,
      `
libc.mount.restype = ctypes.c_int
def mount(kind):
    if libc.mount(b'none', b'tmp', kind, 0, None) != 0: raise OSError(ctypes.get_errno(), 'refused')
attempt('list', os.listdir, '/sys/fs/cgroup')
attempt('open', open, '/sys/fs/cgroup/cgroup.procs')
attempt('mount cgroup2', mount, b'cgroup2')
attempt('mount cgroup', mount, b'cgroup')
attempt('fsopen', call, 'fsopen', b'cgroup2', 0)
attempt('unshare', call, 'unshare', CLONE_NEWCGROUP)
`,
      { limits: GENEROUS },
    );
    expectDenied(found, ['list', 'open', 'mount cgroup2', 'mount cgroup', 'fsopen', 'unshare']);
  });

  it('has no descriptor of it, neither its own nor the launcher’s', async () => {
    const found = await outcomes(
      attacked.jail,
      `
def link(number):
    try: return os.readlink(f'/proc/self/fd/{number}')
    except OSError: return ''
say('own', [link(n) for n in os.listdir('/proc/self/fd') if 'cgroup' in link(n) or 'memory.' in link(n) or 'cpu.' in link(n)])
attempt('launcher', os.listdir, '/proc/1/fd')
attempt('pidfd_getfd', lambda: call('pidfd_getfd', call('pidfd_open', 1, 0), 3, 0))
`,
      { limits: GENEROUS },
    );
    expect(found['own']).toEqual([]);
    expectDenied({ launcher: found['launcher'], pidfd_getfd: found['pidfd_getfd'] }, [
      'launcher',
      'pidfd_getfd',
    ]);
  });

  it('stays in it with all that it starts, however far it forks away', async () => {
    let inside = 0;
    let orphans = 0;
    const { readFileSync } = await import('node:fs');
    const result = await attacked.jail.jailCode('python', {
      code: [
        'import os, sys, time',
        'for _ in range(3):',
        '    if os.fork() == 0:',
        '        os.setpgid(0, 0)',
        '        if os.fork() == 0:',
        '            print("up", flush=True)',
        '            time.sleep(600)',
        '        os._exit(0)',
        'sys.stdin.read()',
      ].join('\n'),
      limits: GENEROUS,
      onStdout: (chunk) => {
        orphans += chunk.toString().split('up').length - 1;
      },
      stdin: (async function* () {
        // The launcher, the program and three orphans, when those between have ended.
        for (let look = 0; look < 1000 && (orphans < 3 || inside !== 5); look++) {
          const [cgroup] = await jailCgroups();
          const text = cgroup === undefined ? '' : readFileSync(`${cgroup}/cgroup.procs`, 'utf8');
          inside = text.split('\n').filter(Boolean).length;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        yield '';
      })(),
    });
    expect(result).toMatchObject({ status: 0, outcome: 'exited' });
    expect(inside).toBe(5);
  });
});
