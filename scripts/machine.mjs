// Runs a shell command as root in a throwaway machine, whose kernel has AppArmor, Landlock and cgroup v2:
//   node scripts/machine.mjs [--seconds N] 'command'
// It sees this host's files, read-only under an overlay, the project at /srv/codejail, this Node at /srv/node.
import { parseArgs } from 'node:util';
import { main, ScriptError } from './console.mjs';
import { runInMachine } from './machine/boot.mjs';
import { x64Machine } from './machine/x64.mjs';

await main(async () => {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: 'string', default: '600' } },
    allowPositionals: true,
  });
  if (positionals.length !== 1) {
    throw new ScriptError("usage: node scripts/machine.mjs [--seconds N] 'command'");
  }
  const { status } = await runInMachine(await x64Machine(), positionals[0], {
    seconds: Number(values.seconds),
    onOutput: (chunk) => process.stdout.write(chunk),
  });
  process.exitCode = status;
});
