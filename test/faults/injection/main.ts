// npm run test:faults [-- --quick | --thorough] [KIND…]: prints the matrix; ends with 1 where anything of it is bad.
import { Programs, runMatrix, summaryOf, tableOf, type Matrix } from './matrix';
import { kinds } from './kinds';

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const isThorough = words.includes('--thorough');
  const isQuick = words.includes('--quick');
  const wanted = words.filter((word) => !word.startsWith('--'));
  const programs = new Programs();
  const matrices: Matrix[] = [];
  const broken: string[] = [];
  try {
    for (const { title, options, every } of kinds()) {
      if (wanted.length > 0 && !wanted.some((word) => title.startsWith(word))) {
        continue;
      }
      const begun = Date.now();
      try {
        const matrix = await runMatrix(programs, {
          ...options,
          isThorough,
          every: isQuick ? every : 1,
        });
        matrices.push(matrix);
        const seconds = ((Date.now() - begun) / 1000).toFixed(1);
        process.stdout.write(`${tableOf({ ...matrix, scenario: title })}\n(${seconds} s)\n\n`);
      } catch (error) {
        broken.push(title);
        console.error(title, error);
      }
    }
  } finally {
    programs.remove();
  }
  const { fired, right, rejected, notReached, bad } = summaryOf(matrices);
  for (const { role, name, occurrence, of, errnoName, outcome, bad: what } of bad) {
    process.stdout.write(
      `BAD ${role} ${name} ${occurrence}/${of} ${errnoName}: ${outcome} ${what}\n`,
    );
  }
  process.stdout.write(
    `${fired} injected: ${right} right all the same, ${rejected} rejected with their step, ${bad.length} bad; ${notReached} not reached\n`,
  );
  process.exitCode = bad.length + broken.length === 0 && fired > 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
