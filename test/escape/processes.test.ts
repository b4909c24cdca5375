// Guarantee `processes`: nothing outside can be seen, signalled or traced, and nothing outlives the call.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Jail } from '../../lib/index';
import { traces, watchLeftovers } from '../support/leftovers';
import { mode } from '../support/jail';
import { attackedJail, expectDenied, outcomes, outcomesOf, run } from './attack';

let jail: Jail;
let victim: ChildProcess;

beforeEach(async () => {
  jail = attackedJail();
  await jail.jailCode('python', { code: '' });
  victim = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(victim, 'spawn');
});

afterEach(async () => {
  await jail.close();
  if (victim.exitCode === null && victim.signalCode === null) {
    victim.kill('SIGKILL');
    await once(victim, 'close');
  }
});

// Last, so that it looks when the suite itself has tidied up.
watchLeftovers();

function expectVictimLives(): void {
  expect(victim.signalCode).toBeNull();
  expect(victim.exitCode).toBeNull();
}

describe('processes', () => {
  it('denies seeing any process but its own', async () => {
    const found = await outcomes(
      jail,
      `
say('processes', sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))
say('self', os.getpid())
`,
    );
    const self = found['self'] as number;
    expect(self).toBeLessThan(10);
    expect(found['processes']).toEqual([1, self]);
  });

  // At every limit but 1 a core pattern that is a pipe has the host run its program, as root.
  it('denies another limit of core files, and any that would have the host handle a crash', async () => {
    const found = await outcomes(
      jail,
      `
limits = lambda: list(resource.getrlimit(resource.RLIMIT_CORE))
say('before', limits())
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.prlimit(0, resource.RLIMIT_CORE, (0, 1))
libc.setrlimit(4, (ctypes.c_uint64 * 2)(0, 0))
attempt('by the old call', call, 'setrlimit', resource.RLIMIT_CORE, (ctypes.c_uint64 * 2)(0, 0))
say('after', limits())
child = os.fork()
if child == 0:
    say('in a child', limits())
    os.kill(os.getpid(), signal.SIGSEGV)
say('dumped', os.WCOREDUMP(os.waitpid(child, 0)[1]))
attempt('undumpable', call, 'prctl', PR_SET_DUMPABLE, 0, 0, 0, 0)
`,
    );
    expect(found).toEqual({
      before: [1, 1],
      'by the old call': 'reached',
      after: [1, 1],
      'in a child': [1, 1],
      dumped: false,
      undumpable: 'EINVAL',
    });
  });

  it('denies signals to the server, to others and to the launcher', async () => {
    const result = await run(
      jail,
      `
# In a container a number of the server's may be one of the jail's own, too.
outside = [number for number in (${process.pid}, ${process.ppid}, ${victim.pid}) if not os.path.exists(f'/proc/{number}')]
say('outside', len(outside))
for target in outside:
    for number in (0, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        attempt(f'{target}/{int(number)}', os.kill, target, number)
    attempt(f'{target}/pidfd', os.pidfd_open, target)
    attempt(f'{target}/queue', call, 'rt_sigqueueinfo', target, signal.SIGKILL, (ctypes.c_int * 32)())
for number in range(1, 65):
    try: os.kill(1, number)
    except OSError: pass
launcher = os.pidfd_open(1)
for number in (9, 19, 31):
    try: signal.pidfd_send_signal(launcher, number)
    except OSError: pass
say('alive', os.path.exists('/proc/1/status'))
`,
    );
    expect(result.outcome).toBe('exited');
    const { alive, outside, ...found } = outcomesOf(result);
    expect(alive).toBe(true);
    expect(outside).toBeGreaterThan(0);
    expect(Object.keys(found)).toHaveLength(6 * Number(outside));
    expectDenied(found, Object.keys(found));
    expectVictimLives();
  });

  it('denies ending anybody else by kill(-1) and by process groups', async () => {
    const result = await run(
      jail,
      `
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for group in (-1, 0, -${process.pid}):
    try: os.kill(group, signal.SIGTERM)
    except OSError: pass
say('still', 'here')
# kill(-1) spares the caller itself; its own group does not.
attempt('everybody else', os.kill, -1, signal.SIGKILL)
os.kill(0, signal.SIGKILL)
`,
    );
    expect(result.status).toBe(-9);
    expect(result.outcome).toBe('signaled');
    expect(outcomesOf(result)).toEqual({ still: 'here', 'everybody else': 'ESRCH' });
    expectVictimLives();
  });

  it('denies tracing and reading other processes, and the launcher', async () => {
    const found = await outcomes(
      jail,
      `
buffer = ctypes.create_string_buffer(64)
vector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 64)
for target in (1, ${process.pid}, ${victim.pid}):
    attempt(f'{target} attach', call, 'ptrace', PTRACE_ATTACH, target, 0, 0)
    attempt(f'{target} seize', call, 'ptrace', PTRACE_SEIZE, target, 0, 0)
    attempt(f'{target} readv', call, 'process_vm_readv', target, vector, 1, vector, 1, 0)
    attempt(f'{target} writev', call, 'process_vm_writev', target, vector, 1, vector, 1, 0)
    attempt(f'{target} kcmp', call, 'kcmp', os.getpid(), target, 0, 0, 0)
attempt('traceme', call, 'ptrace', PTRACE_TRACEME, 0, 0, 0)
launcher = os.pidfd_open(1)
for number in range(3, 16):
    attempt(f'getfd {number}', call, 'pidfd_getfd', launcher, number, 0)
attempt('madvise', call, 'process_madvise', launcher, vector, 1, MADV_PAGEOUT, 0)
attempt('robust list', call, 'get_robust_list', 1, ctypes.byref(ctypes.c_void_p()), ctypes.byref(ctypes.c_size_t()))
`,
    );
    expect(Object.keys(found)).toHaveLength(15 + 1 + 13 + 2);
    expectDenied(found, Object.keys(found));
    expectVictimLives();
  });

  it('denies changing the launcher’s limits, priority and processors', async () => {
    const found = await outcomes(
      jail,
      `
for name in ('RLIMIT_NOFILE', 'RLIMIT_CPU', 'RLIMIT_AS', 'RLIMIT_DATA', 'RLIMIT_STACK'):
    attempt(name, resource.prlimit, 1, getattr(resource, name), (0, 0))
attempt('scheduler', os.sched_setscheduler, 1, os.SCHED_IDLE, os.sched_param(0))
attempt('parameter', os.sched_setparam, 1, os.sched_param(0))
attempt('processors', os.sched_setaffinity, 1, [0])
attempt('priority', os.setpriority, os.PRIO_PROCESS, 1, 19)
attempt('priority of the user', os.setpriority, os.PRIO_USER, 0, 19)
attempt('priority of another user', os.setpriority, os.PRIO_USER, os.getuid(), 19)
attempt('priority of a group', os.setpriority, os.PRIO_PGRP, 1, 19)
attempt('io priority', call, 'ioprio_set', IOPRIO_WHO_PROCESS, 1, 3 << 13)
attempt('io priority of the user', call, 'ioprio_set', IOPRIO_WHO_USER, os.getuid(), 3 << 13)
attempt('attributes', call, 'sched_setattr', 1, (ctypes.c_uint32 * 12)(48, 5), 0)
`,
    );
    expect(Object.keys(found)).toHaveLength(15);
    expectDenied(found, Object.keys(found));
  });

  it('allows a program to limit and to slow down itself', async () => {
    const found = await outcomes(
      jail,
      `
attempt('limit', resource.setrlimit, resource.RLIMIT_NOFILE, (64, 64))
attempt('nice', os.nice, 5)
attempt('processors', os.sched_setaffinity, 0, os.sched_getaffinity(0))
attempt('processors by its number', os.sched_setaffinity, os.getpid(), os.sched_getaffinity(0))
attempt('processors of a thread', os.sched_setaffinity, threading.get_native_id(), os.sched_getaffinity(0))
attempt('limit by its number', resource.prlimit, os.getpid(), resource.RLIMIT_NOFILE, (32, 32))
attempt('priority by its number', os.setpriority, os.PRIO_PROCESS, os.getpid(), 19)
`,
    );
    expect(Object.keys(found)).toHaveLength(7);
    expect(new Set(Object.values(found))).toEqual(new Set(['reached']));
  });

  it('denies outliving the call, by any way of leaving', async () => {
    const before = traces();
    const result = await run(
      jail,
      `
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
def stay():
    os.setpgid(0, 0)
    if os.fork() == 0:
        for number in (0, 1, 2): os.close(number)
        libc.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        os.fork()
        time.sleep(600)
    os._exit(0)
for _ in range(3):
    if os.fork() == 0: stay()
def clone(flags):
    try:
        if call('clone', flags, 0, 0, 0, 0) == 0: time.sleep(600)
    except OSError: pass  # by the filter
# A sibling instead of a child.
clone(CLONE_PARENT | signal.SIGCHLD)
# A child whose end nobody is told of.
clone(0)
time.sleep(0.2)
say('made', len([name for name in os.listdir('/proc') if name.isdigit()]))
`,
    );
    expect(result.outcome).toBe('exited');
    // The launcher, the program, and at least the two that were cloned.
    expect(outcomesOf(result)['made']).toBeGreaterThan(4);
    if (mode === 'warm') {
      // A new cell may stand where the call's was.
      await jail.close();
    }
    const remaining = traces().processes.filter((found) => !before.processes.includes(found));
    expect(remaining).toEqual([]);
    expect(result.usage.wallMs).toBeLessThan(10_000);
  });

  it('denies stopping the clock by SIGSTOP to everything', async () => {
    const result = await run(
      jail,
      `
if os.fork() == 0: time.sleep(600)
os.kill(-1, signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
`,
      { limits: { realtime: 0.5 } },
    );
    expect(result.outcome).toBe('time-limit');
  });

  it('denies holding a call by a child that keeps or closes the streams', async () => {
    const result = await run(
      jail,
      `
if os.fork() == 0: time.sleep(600)
if os.fork() == 0:
    for number in (0, 1, 2): os.close(number)
    time.sleep(600)
for number in (0, 1, 2): os.close(number)
os._exit(7)
`,
    );
    expect(result.status).toBe(7);
    expect(result.usage.wallMs).toBeLessThan(10_000);
  });

  it('denies executing anything, itself too', async () => {
    const found = await outcomes(
      jail,
      `
with open('tmp/script', 'w') as script: script.write('#!' + sys.executable + '\\nprint(1)')
os.chmod('tmp/script', 0o755)
for path in (sys.executable, '/proc/self/exe', 'tmp/script', '/bin/sh', '/usr/bin/env', './jailed_code', '/lib64/ld-linux-x86-64.so.2'):
    attempt(path.replace(sys.executable, 'itself'), os.execv, path, ['x', '-c', '1'])
binary = os.open(sys.executable, os.O_RDONLY)
attempt('by descriptor', os.execve, binary, ['x', '-c', '1'], {})
attempt('execveat', call, 'execveat', binary, b'', None, None, AT_EMPTY_PATH)
attempt('in a child', lambda: os.posix_spawn(sys.executable, ['x', '-c', '1'], {}))
`,
    );
    expect(Object.keys(found)).toHaveLength(10);
    expect(new Set(Object.values(found))).toEqual(new Set(['EACCES']));
  });

  it('denies watching what others read', async () => {
    const found = await outcomes(
      jail,
      `
attempt('inotify', call, 'inotify_init1', 0)
attempt('fanotify', call, 'fanotify_init', 0, 0)
attempt('dnotify', call, 'fcntl', os.open(os.path.dirname(os.__file__), os.O_RDONLY), F_NOTIFY, DN_ACCESS)
`,
    );
    expectDenied(found, ['inotify', 'fanotify', 'dnotify']);
  });

  it('denies a lease, for which whoever else opens the file would wait', async () => {
    const found = await outcomes(
      jail,
      `
attempt('its own file', call, 'fcntl', os.open('tmp/own', os.O_RDONLY | os.O_CREAT), F_SETLEASE, 0)
attempt('a module', call, 'fcntl', os.open(os.__file__, os.O_RDONLY), F_SETLEASE, 0)
attempt('a later command', call, 'fcntl', os.open('tmp', os.O_RDONLY), 1040, 0)
`,
    );
    expect(found).toEqual({
      'its own file': 'EACCES',
      'a module': 'EACCES',
      'a later command': 'EACCES',
    });
  });
});
