// Boots the machine for one command.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run, ScriptError } from '../console.mjs';
import { virtiofsd } from './packages.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

const MEMORY = '3G';
const PROCESSORS = 2;
const START_LIMIT_MS = 180_000;
// A kernel that has not come so far by then never will: nested KVM hangs rather than fails.
const KVM_START_LIMIT_MS = 30_000;

async function makeInitialFiles(work, { busybox, overlay }) {
  const tree = join(work, 'initial');
  for (const name of ['bin', 'dev', 'proc', 'sys', 'lower', 'upper', 'new']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  copyFileSync(busybox, join(tree, 'bin/busybox'));
  copyFileSync(overlay, join(tree, 'overlay.ko'));
  copyFileSync(here('init.sh'), join(tree, 'init'));
  chmodSync(join(tree, 'init'), 0o755);
  const image = join(work, 'initrd');
  await run('sh', ['-c', 'cd "$0" && find . | cpio --quiet -o -H newc >"$1"', tree, image]);
  return image;
}

function makeShare(work, command, settings) {
  const share = join(work, 'share');
  mkdirSync(share);
  copyFileSync(here('session.sh'), join(share, 'session.sh'));
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quoted(value)}\n`);
  writeFileSync(join(share, 'settings'), lines.join(''));
  writeFileSync(join(share, 'command'), command);
  return share;
}

const ended = (child) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('close', resolve));

/** A process that is gone when the machine is. */
async function stop(child) {
  child.kill('SIGKILL');
  await ended(child);
}

async function waitFor(condition, limitMs, child) {
  const until = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > until || child.exitCode !== null || child.signalCode !== null) {
      return false;
    }
    await sleep(50);
  }
  return true;
}

function serve(work, name, source, readOnly) {
  const socket = join(work, `${name}.socket`);
  const log = openSync(join(work, `${name}.log`), 'w');
  const isOfQemu = virtiofsd.startsWith('/usr/lib/qemu/');
  const args = isOfQemu
    ? [
        `--socket-path=${socket}`,
        '-o',
        `source=${source}`,
        '-o',
        'sandbox=chroot',
        '-o',
        'no_posix_lock',
      ]
    : ['--socket-path', socket, '--shared-dir', source, '--sandbox', 'chroot'];
  const cached = readOnly ? 'always' : 'none';
  args.push(...(isOfQemu ? ['-o', `cache=${cached}`] : ['--cache', readOnly ? 'always' : 'never']));
  const daemon = spawn(virtiofsd, args, { stdio: ['ignore', log, log] });
  return { daemon, socket };
}

function startQemu(work, machine, initialFiles, accelerator, sockets, options) {
  const devices = Object.entries(sockets).flatMap(([tag, path]) => [
    '-chardev',
    `socket,id=${tag},path=${path}`,
    '-device',
    `vhost-user-fs-pci,chardev=${tag},tag=${tag}`,
  ]);
  const parameters = [
    `console=${machine.console} quiet panic=-1 mitigations=off lsm=landlock,yama,apparmor apparmor=1`,
    // test/apparmor looks for this word before it switches a layer off.
    'codejail-test-machine',
    ...(options.parameters ?? []),
  ];
  const log = openSync(join(work, 'qemu.log'), 'w');
  return spawn(
    machine.qemu,
    [
      ...[...machine.board, '-smp', String(PROCESSORS), '-m', MEMORY],
      ...machine.accelerators[accelerator],
      ...['-nodefaults', '-no-reboot', '-display', 'none', '-monitor', 'none'],
      ...['-object', `memory-backend-memfd,id=mem,size=${MEMORY},share=on`],
      ...['-numa', 'node,memdev=mem', ...devices],
      ...['-serial', `file:${join(work, 'console')}`],
      ...['-chardev', 'stdio,id=out,signal=off', ...machine.output.words],
      ...['-kernel', machine.kernel, '-initrd', initialFiles, '-append', parameters.join(' ')],
    ],
    { stdio: ['ignore', 'pipe', log] },
  );
}

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/**
 * Runs a shell command as root in the machine, in the project's folder, and streams its output to `onOutput`.
 * What it leaves in /codejail-machine is in `share` until `inspect` has returned.
 * Resolves to its status, and to what `inspect(share)` gave.
 * @param machine of x64.mjs or arm64.mjs
 */
export async function runInMachine(machine, command, options) {
  const work = mkdtempSync(join(tmpdir(), 'codejail-machine-'));
  const running = [];
  const onSignal = () => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(work, { recursive: true, force: true });
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, onSignal);
  try {
    const initialFiles = await makeInitialFiles(work, machine);
    const directories = machine.shares(work);
    const accelerators = Object.keys(machine.accelerators);
    for (const accelerator of accelerators) {
      const attempt = join(work, accelerator);
      mkdirSync(attempt);
      const share = makeShare(attempt, command, {
        ...machine.settings,
        output: machine.output.device,
      });
      const served = { share: serve(attempt, 'share', share, false) };
      for (const [tag, directory] of Object.entries(directories)) {
        served[tag] = serve(attempt, tag, directory, true);
      }
      running.push(...Object.values(served).map(({ daemon }) => daemon));
      for (const [tag, { daemon, socket }] of Object.entries(served)) {
        if (!(await waitFor(() => existsSync(socket), 10_000, daemon))) {
          const log = read(join(attempt, `${tag}.log`));
          throw new ScriptError(`virtiofsd did not start:\n${log}`);
        }
      }
      const sockets = Object.fromEntries(
        Object.entries(served).map(([tag, { socket }]) => [tag, socket]),
      );
      const qemu = startQemu(attempt, machine, initialFiles, accelerator, sockets, options);
      running.push(qemu);
      qemu.stdout.on('data', options.onOutput);
      const startLimit = accelerator === 'kvm' ? KVM_START_LIMIT_MS : START_LIMIT_MS;
      const isReady = await waitFor(() => existsSync(join(share, 'ready')), startLimit, qemu);
      if (!isReady && accelerator !== accelerators.at(-1)) {
        await Promise.all(running.splice(0).map(stop));
        continue;
      }
      let timer;
      const timeLimit = new Promise((resolve) => {
        timer = setTimeout(resolve, isReady ? options.seconds * 1000 : 0, 'over');
      });
      const isOver = (await Promise.race([ended(qemu), timeLimit])) === 'over';
      clearTimeout(timer);
      await stop(qemu);
      const status = read(join(share, 'status')).trim();
      const inspected = options.inspect?.(share);
      if (status === '') {
        const logs = [
          join(attempt, 'console'),
          join(attempt, 'qemu.log'),
          join(attempt, 'root.log'),
        ]
          .map((path) => read(path).split('\n').slice(-15).join('\n'))
          .join('\n');
        throw Object.assign(
          new ScriptError(
            !isReady
              ? `the test machine did not start:\n${logs}`
              : isOver
                ? `the command was not done after ${options.seconds} s`
                : `the test machine broke down:\n${logs}`,
          ),
          { inspected },
        );
      }
      return { status: Number(status), inspected };
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, onSignal);
    await Promise.all(running.map(stop));
    rmSync(work, { recursive: true, force: true });
  }
  throw new ScriptError('the test machine has no accelerator');
}
