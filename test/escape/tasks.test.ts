// Guarantee `tasks`: no more processes and threads than its limit, counted for this jail alone.
import { useAttackedJail, outcomes, outcomesOf, run } from './attack';

const attacked = useAttackedJail();

const COUNT_FORKS = `
made = 0
try:
    while made < 500:
        if os.fork() == 0: time.sleep(600)
        made += 1
except BlockingIOError: pass
time.sleep(0.5)
say('made', made)
`;

describe('tasks', () => {
  it('denies more processes than the limit', async () => {
    // The program itself is one of them.
    expect(await outcomes(attacked.jail, COUNT_FORKS, { limits: { nproc: 10 } })).toEqual({
      made: 9,
    });
  });

  it('denies more threads than the limit', async () => {
    const found = await outcomes(
      attacked.jail,
      `
import threading
made = 0
try:
    while made < 500:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        made += 1
except RuntimeError: pass
say('made', made)
sys.stdout.flush(); os._exit(0)
`,
      { limits: { nproc: 10 } },
    );
    expect(found).toEqual({ made: 9 });
  });

  it('denies processes and threads together more than the limit', async () => {
    const found = await outcomes(
      attacked.jail,
      `
import threading
made = 0
for _ in range(4):
    if os.fork() == 0: time.sleep(600)
try:
    while made < 500:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        made += 1
except RuntimeError: pass
say('made', made)
os._exit(0)
`,
      { limits: { nproc: 10 } },
    );
    expect(found).toEqual({ made: 5 });
  });

  it('denies a fork bomb that forks as fast as it is ended', async () => {
    const result = await run(
      attacked.jail,
      `
while True:
    try: os.fork()
    except OSError: pass
`,
      { limits: { realtime: 2, cpu: 1 } },
    );
    expect(['cpu-limit', 'time-limit']).toContain(result.outcome);
  });

  it('counts for one jail alone, while others have reached theirs', async () => {
    const results = await Promise.all(
      [1, 2, 3].map(async () => run(attacked.jail, COUNT_FORKS, { limits: { nproc: 10 } })),
    );
    expect(results.map(outcomesOf)).toEqual([{ made: 9 }, { made: 9 }, { made: 9 }]);
  });

  it('supports other jails while one forks as much as it can', async () => {
    const bomb = run(
      attacked.jail,
      `while True:\n    try: os.fork()\n    except OSError: time.sleep(0.001)`,
      {
        limits: { realtime: 4, cpu: 8 },
      },
    );
    const results = [];
    for (let round = 0; round < 5; round += 1) {
      results.push(
        (await attacked.jail.jailCode('python', { code: 'print(1)' })).stdout.toString(),
      );
    }
    expect(results).toEqual(Array.from({ length: 5 }, () => '1\n'));
    await bomb;
  });
});
