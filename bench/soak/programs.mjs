// What the callers run: each makes one call, and throws a WrongError where what comes back is not what must.
import { createHash, randomBytes } from 'node:crypto';

/** A call whose result is not the right one. */
export class WrongError extends Error {}

const PATIENT = { cpu: 10, realtime: 100 };

function expectEqual(found, wanted) {
  const [is, should] = [found, wanted].map((value) => JSON.stringify(value));
  if (is !== should) {
    throw new WrongError(`${is.slice(0, 300)} in the place of ${should.slice(0, 300)}`);
  }
}

function expectOutcome(run, outcomes, evidence = /(?:)/) {
  const { outcome, status, exceeded, stdout, stderr } = run;
  if (!outcomes.includes(outcome) || !evidence.test(`${stdout}${stderr}`)) {
    const end = stderr.toString().slice(-200);
    throw new WrongError(`${outcome} ${status} ${JSON.stringify(exceeded)} ${end}`);
  }
}

let made = 0;

function script(code, more = {}) {
  const { limits, ...options } = more;
  return async (jail, command) =>
    jail.jailCode(command, { code, ...options, limits: { ...PATIENT, ...limits } });
}

function ends(run, outcomes, evidence) {
  return async (...call) => expectOutcome(await run(...call), outcomes, evidence);
}

async function raises(jail, command, code, type) {
  const globals = { a: 1 };
  try {
    await jail.safeExec(code, globals, { command, limits: PATIENT });
  } catch (error) {
    if (error.code !== 'ERR_CODEJAIL_EXEC') throw error;
    expectEqual([error.exception?.type ?? null, globals], [type, { a: 1 }]);
    return;
  }
  throw new WrongError('a program that fails has not rejected');
}

/**
 * The kinds of calls, each as often as `weight` among the sum of all.
 * @type {{ name: string, weight: number, run: (jail: object, command: string, files: string) => Promise<void> }[]}
 */
export const programs = [
  {
    name: 'safeExec',
    weight: 40,
    run: async (jail, command) => {
      const n = made++;
      const globals = { n, list: [n, 'é', null, 1.5] };
      const { stdout } = await jail.safeExec(
        'm = n * 3 + 1\nback = list[::-1]\nprint(n)',
        globals,
        {
          command,
          limits: PATIENT,
        },
      );
      const { m, back } = globals;
      expectEqual([m, back, stdout.toString()], [n * 3 + 1, [1.5, null, 'é', n], `${n}\n`]);
    },
  },
  {
    name: 'arguments and status',
    weight: 12,
    run: async (jail, command) => {
      const n = made++;
      const code = `import sys\nprint(sys.argv[1:], sys.stdin.read())\nsys.exit(${n % 50})`;
      const options = { argv: [`a${n}`], stdin: `in${n}` };
      const { outcome, status, stdout } = await script(code, options)(jail, command);
      expectEqual([outcome, status, stdout.toString()], ['exited', n % 50, `['a${n}'] in${n}\n`]);
    },
  },
  {
    name: 'standard input',
    weight: 5,
    run: async (jail, command) => {
      const stdin = randomBytes(1 << 20);
      const code =
        'import sys, hashlib\nprint(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())';
      const { stdout } = await script(code, { stdin })(jail, command);
      expectEqual(stdout.toString(), `${createHash('sha256').update(stdin).digest('hex')}\n`);
    },
  },
  {
    name: 'files',
    weight: 5,
    run: async (jail, command, folder) => {
      const n = made++;
      const code = 'print(open("in.csv").read() + open("sub/x").read())';
      const options = { files: [`${folder}/in.csv`], extraFiles: [['sub/x', `v${n}`]] };
      const { stdout } = await script(code, options)(jail, command);
      expectEqual(stdout.toString(), `1,2,3\nv${n}\n`);
    },
  },
  {
    name: 'collect',
    weight: 5,
    run: async (jail, command) => {
      const text = `c${made++}`.repeat(1000);
      const options = { collect: ['*.txt'], limits: { fsize: 1 << 20 } };
      const { collected } = await script(`open("tmp/o.txt", "w").write("${text}")`, options)(
        jail,
        command,
      );
      expectEqual(
        collected.map(({ content }) => content.toString()),
        [text],
      );
    },
  },
  {
    name: 'abort',
    weight: 6,
    run: async (jail, command) => {
      const reason = new Error('the caller has gone');
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(reason), Math.random() * 300);
      try {
        const options = { signal: controller.signal };
        await script('import time\ntime.sleep(90)', options)(jail, command);
      } catch (error) {
        if (error !== reason) throw error;
        return;
      } finally {
        clearTimeout(timer);
      }
      throw new WrongError('an aborted call has not rejected');
    },
  },
  {
    name: 'exception',
    weight: 6,
    run: async (jail, command) =>
      raises(jail, command, 'a = 2\nraise ValueError("x")', 'ValueError'),
  },
  {
    name: 'forged result',
    weight: 4,
    run: async (jail, command) => {
      const code =
        'import os\nfor fd in range(3, 128):\n  try: os.write(fd, b\'{"globals":{"a":666}}\\n\\xff\\x00\' * 50)\n' +
        '  except OSError: pass\nos._exit(0)';
      await raises(jail, command, code, null);
    },
  },
  {
    name: 'crash',
    weight: 5,
    run: async (jail, command) => {
      const code = 'import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)';
      const { outcome, signal } = await script(code)(jail, command);
      expectEqual([outcome, signal], ['signaled', 'SIGSEGV']);
    },
  },
  {
    name: 'endless loop',
    weight: 1,
    run: ends(script('while True: pass', { limits: { cpu: 1 } }), ['cpu-limit']),
  },
  {
    name: 'sleep',
    weight: 2,
    run: ends(script('import time\ntime.sleep(90)', { limits: { realtime: 1 } }), ['time-limit']),
  },
  {
    name: 'memory',
    weight: 2,
    // A large allocation meets the wall of one process first.
    run: ends(
      script('held = []\nwhile True: held.append(bytearray(1 << 20))', {
        limits: { memory: 64 << 20 },
      }),
      ['memory-limit', 'exited'],
      /MemoryError|^$/,
    ),
  },
  {
    name: 'fork bomb',
    weight: 2,
    run: ends(
      script(
        'import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0:\n      os.setsid(); time.sleep(100); os._exit(0)\n' +
          '    n += 1\nexcept OSError as error: print(0 < n <= 15, error.errno)',
      ),
      ['exited'],
      /^True 11\n$/,
    ),
  },
  {
    name: 'rolling forks',
    weight: 1,
    run: ends(
      script(
        'import os\nwhile True:\n  try:\n    if os.fork(): os._exit(0)\n    os.setsid()\n  except OSError: pass',
        { limits: { realtime: 2, cpu: 2 } },
      ),
      ['time-limit', 'cpu-limit', 'exited'],
    ),
  },
  {
    name: 'output flood',
    weight: 3,
    run: async (jail, command) => {
      const code = 'import os\nwhile True: os.write(1, b"x" * 65536)';
      const run = await script(code, { limits: { output: 256 << 10 } })(jail, command);
      expectOutcome(run, ['output-limit']);
      expectEqual(run.stdout.length <= 256 << 10, true);
    },
  },
  {
    name: 'full disk',
    weight: 3,
    run: ends(
      script(
        'i = 0\nwhile True:\n  with open(f"tmp/f{i}", "wb", buffering=0) as file: file.write(b"x" * 1048576)\n  i += 1',
        { limits: { fsize: 2 << 20 } },
      ),
      ['disk-limit'],
    ),
  },
  {
    name: 'many files',
    weight: 1,
    run: ends(
      script('i = 0\nwhile True:\n  open(f"tmp/f{i}", "w").close()\n  i += 1', {
        limits: { fsize: 1024 },
      }),
      ['disk-limit'],
    ),
  },
];
