// Boots the machine for one command.
import { spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { root, run, ScriptError } from '../console.mjs';
import { findKernel } from './kernel.mjs';
import { fetchNewParser } from './parser.mjs';
import { requirePackages, virtiofsd } from './packages.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

const MEMORY = '3G';
const PROCESSORS = 2;
const START_LIMIT_MS = 180_000;
// A kernel that has not come so far by then never will: nested KVM hangs rather than fails.
const KVM_START_LIMIT_MS = 30_000;

async function makeInitialFiles(work, overlay) {
  const tree = join(work, 'initial');
  for (const name of ['bin', 'dev', 'proc', 'sys', 'lower', 'upper', 'new']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
  copyFileSync(overlay, join(tree, 'overlay.ko'));
  copyFileSync(here('init.sh'), join(tree, 'init'));
  chmodSync(join(tree, 'init'), 0o755);
  const image = join(work, 'initrd');
  await run('sh', ['-c', 'cd "$0" && find . | cpio --quiet -o -H newc >"$1"', tree, image]);
  return image;
}

function makeShare(work, command, parser) {
  const share = join(work, 'share');
  mkdirSync(share);
  copyFileSync(here('session.sh'), join(share, 'session.sh'));
  writeFileSync(
    join(share, 'settings'),
    `project=${quoted(realpathSync(root))}\nnode=${quoted(realpathSync(process.execPath))}\nparser=${quoted(parser ?? '')}\n`,
  );
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

function startQemu(work, kernel, initialFiles, accelerator, sockets, options) {
  const devices = Object.entries(sockets).flatMap(([tag, path]) => [
    '-chardev',
    `socket,id=${tag},path=${path}`,
    '-device',
    `vhost-user-fs-pci,chardev=${tag},tag=${tag}`,
  ]);
  const parameters = [
    'console=ttyS0 quiet panic=-1 mitigations=off lsm=landlock,yama,apparmor apparmor=1',
    // test/apparmor looks for this word before it switches a layer off.
    'codejail-test-machine',
    ...(options.parameters ?? []),
  ];
  const log = openSync(join(work, 'qemu.log'), 'w');
  return spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35', '-smp', String(PROCESSORS), '-m', MEMORY],
      ...(accelerator === 'kvm'
        ? ['-accel', 'kvm', '-cpu', 'host']
        : ['-accel', 'tcg,thread=multi', '-cpu', 'max']),
      ...['-nodefaults', '-no-reboot', '-display', 'none', '-monitor', 'none'],
      ...['-object', `memory-backend-memfd,id=mem,size=${MEMORY},share=on`],
      ...['-numa', 'node,memdev=mem', ...devices],
      ...['-serial', `file:${join(work, 'console')}`],
      ...['-chardev', 'stdio,id=out,signal=off', '-serial', 'chardev:out'],
      ...['-kernel', kernel, '-initrd', initialFiles, '-append', parameters.join(' ')],
    ],
    { stdio: ['ignore', 'pipe', log] },
  );
}

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

function hasKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs a shell command as root in the machine, in the project's folder, and streams its output to `onOutput`.
 * What it leaves in /codejail-machine is in `share` until `inspect` has returned.
 * Resolves to its status, and to what `inspect(share)` gave.
 */
export async function runInMachine(command, options) {
  requirePackages();
  const { kernel, overlay } = await findKernel();
  const parser = await fetchNewParser();
  const work = mkdtempSync(join(tmpdir(), 'codejail-machine-'));
  const running = [];
  const onSignal = () => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(work, { recursive: true, force: true });
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, onSignal);
  try {
    const initialFiles = await makeInitialFiles(work, overlay);
    const accelerators = hasKvm() ? ['kvm', 'tcg'] : ['tcg'];
    for (const accelerator of accelerators) {
      const attempt = join(work, accelerator);
      mkdirSync(attempt);
      const share = makeShare(attempt, command, parser);
      const shares = {
        root: serve(attempt, 'root', '/', true),
        share: serve(attempt, 'share', share, false),
      };
      running.push(shares.root.daemon, shares.share.daemon);
      for (const { daemon, socket } of Object.values(shares)) {
        if (!(await waitFor(() => existsSync(socket), 10_000, daemon))) {
          throw new ScriptError(`virtiofsd did not start:\n${read(join(attempt, 'root.log'))}`);
        }
      }
      const sockets = { root: shares.root.socket, share: shares.share.socket };
      const qemu = startQemu(attempt, kernel, initialFiles, accelerator, sockets, options);
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
