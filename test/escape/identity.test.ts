// Guarantee `identity`: neither the caller's user nor any privilege.
import { useAttackedJail, expectDenied, outcomes } from './attack';

const attacked = useAttackedJail();

describe('identity', () => {
  it('denies the caller’s ids, every capability and supplementary groups', async () => {
    const found = await outcomes(
      attacked.jail,
      `
fields = dict(line.rstrip('\\n').split(':\\t', 1) for line in open('/proc/self/status') if ':\\t' in line)
say('uids', sorted(set(os.getresuid())))
say('gids', sorted(set(os.getresgid())))
for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'): say(name, int(fields[name], 16))
say('no_new_privs', fields['NoNewPrivs'])
say('seccomp', fields['Seccomp'])
say('groups', [group for group in os.getgroups() if group not in (os.getgid(), 65534)])
`,
    );
    expect(found).toMatchObject({
      CapInh: 0,
      CapPrm: 0,
      CapEff: 0,
      CapBnd: 0,
      CapAmb: 0,
      no_new_privs: '1',
      seccomp: '2',
      groups: [],
    });
    expect(found['uids']).toHaveLength(1);
    expect(found['uids']).not.toEqual([process.getuid?.()]);
    expect(found['uids']).not.toEqual([0]);
    expect(found['gids']).toHaveLength(1);
    expect(found['gids']).not.toEqual([0]);
  });

  it('denies becoming anybody else', async () => {
    const found = await outcomes(
      attacked.jail,
      `
for identity in (0, ${process.getuid?.() ?? 0} or 1, 65534):
    attempt(f'uid {identity}', os.setresuid, identity, identity, identity)
    attempt(f'gid {identity}', os.setresgid, identity, identity, identity)
    attempt(f'effective {identity}', os.seteuid, identity)
    say(f'fsuid {identity}', 'EPERM' if libc.setfsuid(identity) == libc.setfsuid(-1) != identity else 'reached')
attempt('groups', os.setgroups, [0])
header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
attempt('capset', call, 'capset', header, (ctypes.c_uint32 * 6)(1, 1, 1, 0, 0, 0))
attempt('ambient', lambda: libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0) and (_ for _ in ()).throw(OSError(ctypes.get_errno(), '')))
attempt('securebits', lambda: libc.prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) and (_ for _ in ()).throw(OSError(ctypes.get_errno(), '')))
attempt('lower no_new_privs', lambda: libc.prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) and (_ for _ in ()).throw(OSError(ctypes.get_errno(), '')))
attempt('user namespace', call, 'unshare', CLONE_NEWUSER)
attempt('map', lambda: os.write(os.open('/proc/self/uid_map', os.O_WRONLY), b'0 0 1'))
`,
    );
    expect(Object.keys(found).length).toBeGreaterThanOrEqual(15);
    expectDenied(found, Object.keys(found));
  });

  it('denies raising a limit', async () => {
    const found = await outcomes(
      attacked.jail,
      `
for name in ('RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_NPROC', 'RLIMIT_NOFILE', 'RLIMIT_DATA', 'RLIMIT_MEMLOCK', 'RLIMIT_SIGPENDING', 'RLIMIT_MSGQUEUE'):
    which = getattr(resource, name)
    hard = resource.getrlimit(which)[1]
    def raise_it():
        try: resource.setrlimit(which, (hard + 1, hard + 1))
        except ValueError: raise OSError(errno.EPERM, '')
    attempt(name, raise_it)
attempt('nice', os.nice, -1)
attempt('real time', os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
`,
    );
    expect(Object.keys(found)).toHaveLength(10);
    expectDenied(found, Object.keys(found));
  });
});
