// npm run test:faults [-- --quick | --thorough] [KIND…]: prints the matrix; ends with 1 where anything of it is bad.
import { LANES, Programs, runMatrix, summaryOf, tableOf, type Matrix } from './matrix';
import { kinds, type Kind } from './kinds';

/** Fewer would mean that a plan has shrunk without anybody's wanting it. */
const LEAST_FIRED = 400;

class Results {
  readonly matrices: Matrix[] = [];
  readonly broken: string[] = [];

  constructor(
    private readonly programs: Programs,
    private readonly isThorough: boolean,
    private readonly isQuick: boolean,
  ) {}

  async run({ title, options, every }: Kind): Promise<void> {
    const begun = Date.now();
    try {
      const matrix = await runMatrix(this.programs, {
        ...options,
        isThorough: this.isThorough,
        every: this.isThorough ? 1 : this.isQuick ? 2 * every : every,
      });
      this.matrices.push(matrix);
      const seconds = ((Date.now() - begun) / 1000).toFixed(1);
      process.stdout.write(`${tableOf({ ...matrix, scenario: title })}\n(${seconds} s)\n\n`);
    } catch (error) {
      this.broken.push(title);
      console.error(title, error);
    }
  }
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const wanted = words.filter((word) => !word.startsWith('--'));
  const waiting = kinds().filter(
    ({ title }) => wanted.length === 0 || wanted.some((word) => title.startsWith(word)),
  );
  const programs = new Programs();
  const results = new Results(programs, words.includes('--thorough'), words.includes('--quick'));
  try {
    const lane = async (): Promise<void> => {
      for (let kind = waiting.shift(); kind !== undefined; kind = waiting.shift()) {
        await results.run(kind);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    programs.remove();
  }
  const { fired, right, rejected, notReached, bad } = summaryOf(results.matrices);
  for (const { role, name, occurrence, of, errnoName, outcome, bad: what } of bad) {
    process.stdout.write(
      `BAD ${role} ${name} ${occurrence}/${of} ${errnoName}: ${outcome} ${what}\n`,
    );
  }
  process.stdout.write(
    `${fired} injected: ${right} right all the same, ${rejected} rejected with their step, ${bad.length} bad; ${notReached} not reached\n`,
  );
  const isTooFew = wanted.length === 0 && fired < LEAST_FIRED;
  if (isTooFew) {
    process.stdout.write(`fewer than ${LEAST_FIRED} were injected\n`);
  }
  const failed = bad.length + results.broken.length + (isTooFew ? 1 : 0);
  process.stdout.write(`${right + rejected} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 && fired > 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
