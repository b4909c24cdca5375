// A process that makes calls, one at a time, as its parent asks: a server of a given size.
// `node caller.mjs <bytes of memory to hold>`
import { makeContenders } from './contenders.mjs';

const CHUNK = 64 * 1024 * 1024;
// Filled with ones, so that every page is really there.
const held = Array.from({ length: Math.ceil(Number(process.argv[2]) / CHUNK) }, () =>
  Buffer.alloc(CHUNK, 1),
);
const contenders = new Map(makeContenders().map((contender) => [contender.name, contender]));

async function measure({ contender, program }) {
  const start = performance.now();
  const { output, setupMs } = await contenders.get(contender).run(program);
  const milliseconds = performance.now() - start;
  if (output !== program.output) {
    throw new Error(`${contender} printed ${JSON.stringify(output)}`);
  }
  return { milliseconds, setupMs };
}

process.on('message', (request) => {
  measure(request).then(
    (answer) => process.send(answer),
    (error) => process.send({ error: error.message }),
  );
});
process.send({
  contenders: [...contenders.keys()],
  residentBytes: process.memoryUsage().rss,
  heldChunks: held.length,
});
