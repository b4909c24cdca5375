// What Python programs read of /proc about the machine is there, with what a program knows of its jail and nothing of the
// host: psutil can't look at a program's own processes without it, and joblib's workers look at theirs.
import { spawnSync } from 'node:child_process';
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const MEMORY = 300 * 1024 * 1024;
const lacks = (module: string): string =>
  spawnSync('python3', ['-c', `import ${module}`]).status === 0
    ? ''
    : ` (needs ${module} beside this Python)`;

// In a cell the template's own memory is in what the kernel lets it have.
function expectAbout(found: string | undefined, bytes: number): void {
  expect(Math.abs(Number(found) / bytes - 1)).toBeLessThan(0.01);
}

describe('a Python program’s /proc', () => {
  it('tells the memory that the jail may have', async () => {
    const code = [
      'lines = dict(line.split(":") for line in open("/proc/meminfo"))',
      'total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))',
      'print(0 < free < total); print(total)',
    ].join('\n');
    const [isLess, total] = (await suite.printed(code, { limits: { memory: MEMORY } })).split('\n');
    expect(isLess).toBe('True');
    expectAbout(total, MEMORY);
  });

  it('tells the processors that the program may use, and no time that others had', async () => {
    const code = [
      'import os',
      'count = len(os.sched_getaffinity(0))',
      'lines = open("/proc/stat").read().splitlines()',
      'times = [line.split()[1:] for line in lines if line.startswith("cpu")]',
      'print(len(times) == count + 1, set(sum(times, [])), any(l.startswith("btime ") for l in lines))',
      'print(open("/proc/cpuinfo").read().count("processor\\t:") == count)',
      'print(float(open("/proc/uptime").read().split()[0]) > 0)',
    ].join('\n');
    expect(await suite.printed(code)).toBe("True {'0'} True\nTrue\nTrue\n");
  });

  it('has no more than that, and none of it to be written', async () => {
    const code = [
      'import os',
      'for path, flags in [(p, os.O_RDONLY) for p in ("/proc/version", "/proc/kallsyms", "/proc/stat/")] + [',
      '        ("/proc/stat", os.O_RDWR), ("/proc/meminfo", os.O_WRONLY | os.O_CREAT)]:',
      '    try: print(path, os.open(path, flags, 0o600))',
      '    except OSError: print("denied")',
    ].join('\n');
    expect(await suite.printed(code)).toBe('denied\n'.repeat(5));
  });

  const without = lacks('psutil');
  (without === '' ? it : it.skip)(`is enough for psutil${without}`, async () => {
    const code = [
      'import os, psutil',
      'own = psutil.Process()',
      'print(own.memory_info().rss > 0, own.create_time() > 0, own.pid == os.getpid(), own.children())',
      'print(psutil.cpu_count() > 0, psutil.cpu_percent() >= 0); print(psutil.virtual_memory().total)',
    ].join('\n');
    const lines = (await suite.printed(code, { limits: { memory: MEMORY } })).split('\n');
    expect(lines.slice(0, 2)).toEqual(['True True True []', 'True True']);
    expectAbout(lines[2], MEMORY);
  });
});

// What may start programs is never warm.
const describeCold = mode === 'cold' ? describe : describe.skip;

describeCold('a Python that a program starts by its own path', () => {
  beforeEach(() => {
    suite.jail.configure('python', { bin: 'python3', allowExec: true });
  });

  it('has the same /proc, and prints as it goes', async () => {
    const inner =
      'import os, time; print(open("/proc/stat").read()[:3], "LD_PRELOAD" in os.environ); time.sleep(60)';
    const code = [
      'import subprocess, sys',
      `child = subprocess.Popen([sys.executable, "-c", ${JSON.stringify(inner)}], stdout=subprocess.PIPE)`,
      'print(child.stdout.readline().decode(), end=""); child.kill(); child.wait()',
    ].join('\n');
    expect(await suite.printed(code)).toBe('cpu False\n');
  });

  it('finds the environment that it was given', async () => {
    const inner = 'import os; print(os.environ.get("A"), os.environ.get("LD_PRELOAD"))';
    const code = [
      'import os, sys',
      `os.execve(sys.executable, [sys.executable, "-c", ${JSON.stringify(inner)}], {"A": "1"})`,
    ].join('\n');
    expect(await suite.printed(code)).toBe('1 None\n');
  });

  it('finds a safeExec’s code by its name, as the start method spawn needs', async () => {
    const code = [
      'import multiprocessing as m',
      'def square(x): return x * x',
      'if __name__ == "__main__":',
      '    with m.get_context("spawn").Pool(2) as pool: squares = pool.map(square, range(4))',
    ].join('\n');
    const globals: Record<string, unknown> = { __name__: '__main__' };
    const { stdout } = await suite.jail.safeExec(code, globals, { limits: { nproc: 32 } });
    expect({ stdout: stdout.toString(), squares: globals['squares'] }).toEqual({
      stdout: '',
      squares: [0, 1, 4, 9],
    });
  }, 60_000);

  const without = lacks('joblib');
  (without === '' ? it : it.skip)(
    `serves as a worker of joblib’s${without}`,
    async () => {
      const code = [
        'import joblib',
        'if __name__ == "__main__":',
        '    print(joblib.Parallel(n_jobs=2)(joblib.delayed(pow)(i, 2) for i in range(4)))',
      ].join('\n');
      expect(await suite.printed(code, { limits: { nproc: 40, memory: 1 << 30 } })).toBe(
        '[0, 1, 4, 9]\n',
      );
    },
    60_000,
  );
});
