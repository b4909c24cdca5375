// Many jails: side by side in one server, in its worker threads, and in servers that know nothing of each other.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { watchLeftovers } from '../support/leftovers';
import { UNHURRIED, useSuite } from '../support/suite';
import { createJail, mode } from '../support/jail';

jest.setTimeout(180_000);
const suite = useSuite();
watchLeftovers();

// When each program ran, and as whom.
const SPAN = [
  'import os, time',
  'begin = time.time(); time.sleep(0.5)',
  'print(os.getuid(), begin, time.time())',
].join('\n');

// Child processes and workers load what is built: Jest's transform is not theirs.
const PACKAGE = JSON.stringify(join(__dirname, '..', '..'));
const SERVER = [
  `const { createJail } = require(${PACKAGE});`,
  `const jail = createJail({ limits: { realtime: 60, cpu: 30 } });`,
  `const running = Array.from({ length: 3 }, () => jail.jailCode('python', { code: ${JSON.stringify(SPAN)} }));`,
  `const spans = Promise.all(running).then((results) => results.map(({ stdout }) => stdout.toString()));`,
].join('\n');

interface Span {
  uid: number;
  begin: number;
  end: number;
}

function parseSpan(text: string): Span {
  const [uid = 0, begin = 0, end = 0] = text.trim().split(' ').map(Number);
  return { uid, begin, end };
}

async function spansOfWorker(): Promise<Span[]> {
  const worker = new Worker(
    `${SERVER}\nspans.then((texts) => require('node:worker_threads').parentPort.postMessage(texts));`,
    { eval: true },
  );
  const texts = await new Promise<string[]>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  return texts.map(parseSpan);
}

async function spansOfProcess(): Promise<Span[]> {
  const child = spawn(
    process.execPath,
    ['-e', `${SERVER}\nspans.then((texts) => console.log(JSON.stringify(texts)));`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  return (JSON.parse(text) as string[]).map(parseSpan);
}

function expectNoSharedUid(spans: Span[]): void {
  expect(spans.every(({ uid, end }) => uid > 0 && end > 0)).toBe(true);
  const shared = spans.flatMap((one, index) =>
    spans
      .slice(index + 1)
      .filter((other) => other.uid === one.uid && one.begin < other.end && other.begin < one.end),
  );
  // An ordinary user's jails have one uid each in a namespace of their own.
  expect(process.getuid?.() === 0 ? shared : []).toEqual([]);
}

describe('jails of one server', () => {
  it('have commands and limits of their own', async () => {
    await using one = createJail({ limits: UNHURRIED, commands: { it: '/bin/cat' } });
    await using other = createJail({
      limits: { ...UNHURRIED, fsize: 1000 },
      commands: { it: '/usr/bin/python3' },
    });
    const code = 'print(open("tmp/x", "w").write("x"))';
    const [shown, ran] = await Promise.all([
      one.jailCode('it', { code }),
      other.jailCode('it', { code }),
    ]);
    expect(shown.stdout.toString()).toBe(code);
    expect(ran.stdout.toString()).toBe('1\n');
    one.setLimit('nproc', 3);
    expect(other.effectiveLimits().nproc).toBe(15);
    expect(one.isConfigured('other')).toBe(false);
  });

  it('supports twenty calls at once, each with its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, number) =>
        suite.printed('import sys; print(sys.stdin.read(), sys.argv[1])', {
          stdin: String(number * number),
          argv: [String(number)],
        }),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => `${n * n} ${n}\n`));
  });

  it('supports twenty calls of safeExec at once', async () => {
    const globals = Array.from({ length: 20 }, (_, number) => ({ number, square: -1 }));
    await Promise.all(globals.map(async (own) => suite.jail.safeExec('square = number ** 2', own)));
    expect(globals.map(({ square }) => square)).toEqual(globals.map(({ number }) => number ** 2));
  });

  it('lets one reach its limit while the others do not', async () => {
    const [loop, flood, good] = await Promise.all([
      suite.python('while True: pass', { limits: { cpu: 1 } }),
      suite.python('while True: print("x" * 1000)', { limits: { output: 100_000 } }),
      suite.python('import time; time.sleep(1.5); print("good")'),
    ]);
    expect([loop.outcome, flood.outcome, good.outcome]).toEqual([
      'cpu-limit',
      'output-limit',
      'exited',
    ]);
    expect(good.stdout.toString()).toBe('good\n');
  });

  it('denies seeing the directory, the files and the processes of another', async () => {
    const directories: string[] = [];
    let tell: (directory: string) => void = () => undefined;
    const told = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const victim = suite.python(
      'import os, time\nopen("tmp/secret", "w").close(); print(os.getcwd(), flush=True); time.sleep(3)',
      {
        onStdout: (chunk) => {
          directories.push(chunk.toString().trim());
          tell(chunk.toString().trim());
        },
      },
    );
    const code = [
      'import os, sys',
      'theirs = sys.argv[1]',
      'for path in [theirs + "/tmp/secret"] + [theirs, theirs + "/jailed_code"] * (theirs != os.getcwd()):',
      '    try: os.stat(path); print("found", path)',
      '    except OSError: pass',
      'print(theirs != os.getcwd())',
      'print([p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())])',
    ].join('\n');
    // Cells of one template have the same path, each in its own mount namespace.
    const isAnother = mode === 'warm' ? 'False' : 'True';
    expect(await suite.printed(code, { argv: [await told] })).toBe(`${isAnother}\n[]\n`);
    await victim;
  });

  it('leaves the event loop free', async () => {
    let ticks = 0;
    let worst = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      ticks += 1;
      worst = Math.max(worst, performance.now() - last);
      last = performance.now();
    }, 5);
    await Promise.all(
      Array.from({ length: 4 }, async () => suite.python('import time; time.sleep(1)')),
    );
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
    expect(worst).toBeLessThan(800);
  });
});

describe('jails of several threads', () => {
  it('supports four at once, no uid being used twice at a time', async () => {
    const spans = await Promise.all(Array.from({ length: 4 }, spansOfWorker));
    expect(spans.flat()).toHaveLength(12);
    expectNoSharedUid(spans.flat());
  });
});

// Each round ends two threads somewhere in the middle of their calls.
const RESTLESS = [
  `const { Worker } = require('node:worker_threads');`,
  `const code = ${JSON.stringify(
    [
      `const { createJail } = require(${PACKAGE});`,
      `const jail = createJail({ commands: { true: '/bin/true' }, limits: { realtime: 60 } });`,
      `const three = () => Promise.all([1, 2, 3].map(() => jail.jailCode('true')));`,
      `(async () => { await three(); require('node:worker_threads').parentPort.postMessage('up'); for (;;) await three(); })();`,
    ].join('\n'),
  )};`,
  `(async () => {`,
  `  for (let round = 0; round < 12; round += 1) {`,
  `    const workers = [1, 2].map(() => new Worker(code, { eval: true }));`,
  `    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));`,
  `    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));`,
  `    await Promise.all(workers.map((worker) => worker.terminate()));`,
  `  }`,
  `  console.log('survived');`,
  `})();`,
].join('\n');

describe('threads that are terminated', () => {
  it('do not harm their server, whatever their jails are doing', async () => {
    // In a process of its own: what is to be seen here is that it does not crash.
    const child = spawn(process.execPath, ['-e', RESTLESS], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    }
    const status = await new Promise((resolve) =>
      child.once('close', (code, signal) => {
        resolve(signal ?? code);
      }),
    );
    expect([status, text]).toEqual([0, 'survived\n']);
  });
});

describe('jails of several servers', () => {
  it('supports three at once, no uid being used twice at a time', async () => {
    const spans = await Promise.all(Array.from({ length: 3 }, spansOfProcess));
    expect(spans.flat()).toHaveLength(9);
    expectNoSharedUid(spans.flat());
  });
});

const isRoot = process.getuid?.() === 0;

describe('a small pool of uids', () => {
  (isRoot ? it : it.skip)(
    `supports one uid, by which one jail after another is proved and run${isRoot ? '' : ' (needs CAP_SETUID: an ordinary user has no pool)'}`,
    async () => {
      await using jail = createJail({ uidPool: { first: 1_970_000_000, count: 1 } });
      const code = 'import os; print(os.getuid())';
      for (let call = 0; call < 2; call += 1) {
        const { stdout } = await jail.jailCode('python', { code, limits: UNHURRIED });
        // A warm program's own uid is the same in all cells; outside it is the pool's.
        expect(stdout.toString()).toBe(mode === 'warm' ? '1000\n' : '1970000000\n');
      }
    },
  );
});

describe('more calls than there are uids', () => {
  it('run one after the other, beside a command that is warm', async () => {
    await using jail = createJail({
      uidPool: { first: 1_970_100_000, count: 5 },
      limits: UNHURRIED,
      commands: { cold: { bin: 'python3', warm: false } },
    });
    jail.configure('warm', { bin: 'python3', warm: { size: 1, memoryReserve: 0 } });
    await jail.warmUp('warm');
    await jail.jailCode('cold', { code: '' });
    const answers = await Promise.all(
      Array.from({ length: 24 }, async (_, n) => {
        const { stdout } = await jail.jailCode(n % 3 === 0 ? 'warm' : 'cold', {
          code: `print(${n})`,
        });
        return stdout.toString();
      }),
    );
    expect(answers).toEqual(answers.map((_, n) => `${n}\n`));
  });
});

describe('two Pythons side by side', () => {
  it('supports a command for each', async () => {
    suite.jail.configure('python', { bin: '/usr/bin/python3', args: ['-X', 'utf8=0'] });
    suite.jail.configure('isolated', { bin: '/usr/bin/python3', args: ['-I'] });
    const globals = [{}, {}] as Record<string, unknown>[];
    const code = 'import sys; isolated = sys.flags.isolated';
    await Promise.all([
      suite.jail.safeExec(code, globals[0] ?? {}),
      suite.jail.safeExec(code, globals[1] ?? {}, { command: 'isolated' }),
    ]);
    expect(globals).toMatchObject([{ isolated: 0 }, { isolated: 1 }]);
  });
});
