// A systemd of its own, in the test machine: the first process of new namespaces, as in a container.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const PROGRAM = '/lib/systemd/systemd';
export const hasSystemd = existsSync(PROGRAM);

const CGROUPS = '/sys/fs/cgroup';
const GROUP = `${CGROUPS}/systemd-test`;

// None of this host's own units starts: they would load its profiles, and set its sysctls, under the other suites.
const START = `
exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private sh -ec '
  # Alone there: a group with processes of others could not be divided.
  echo 0 >${GROUP}/cgroup.procs
  exec unshare --cgroup sh -ec "$0"
' '
  units=/lib/systemd/system
  mount -t tmpfs run /run
  mount -t tmpfs tmp /tmp
  umount ${CGROUPS}
  mount -t cgroup2 cgroup ${CGROUPS}
  mount -t tmpfs units /etc/systemd/system
  mount -t tmpfs wants $units/sysinit.target.wants
  ln -s $units/systemd-journald.service $units/sysinit.target.wants/
  for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket; do
    ln -s /dev/null /etc/systemd/system/$unit
  done
  [ ! -e /etc/fstab ] || mount --bind /dev/null /etc/fstab
  # Without one it takes this for the first start of a new machine.
  echo 0123456789abcdef0123456789abcdef >/run/machine-id
  touch /etc/machine-id
  mount --bind /run/machine-id /etc/machine-id
  exec env -i container=codejail PATH=/usr/sbin:/usr/bin:/sbin:/bin ${PROGRAM} --system --unit=basic.target
'`;

/** What a command has ended with. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A systemd that runs. */
export class Systemd {
  readonly #unshare: ChildProcess;
  readonly #pid: string;

  private constructor(unshare: ChildProcess, pid: string) {
    this.#unshare = unshare;
    this.#pid = pid;
  }

  /** Starts one, and waits until it takes commands. */
  static async start(): Promise<Systemd> {
    writeFileSync(`${CGROUPS}/cgroup.subtree_control`, '+cpu +memory +pids');
    mkdirSync(GROUP, { recursive: true });
    const unshare = spawn('sh', ['-c', START], { stdio: ['ignore', 'inherit', 'inherit'] });
    const children = `/proc/${String(unshare.pid)}/task/${String(unshare.pid)}/children`;
    for (let tries = 0; tries < 600 && unshare.exitCode === null; tries += 1) {
      const pid = existsSync(children) ? readFileSync(children, 'utf8').trim() : '';
      if (pid !== '') {
        const started = new Systemd(unshare, pid);
        const { stdout } = started.run(['systemctl', 'is-system-running']);
        if (/^(?:running|degraded)/.test(stdout)) {
          return started;
        }
      }
      await pause(500);
    }
    unshare.kill('SIGKILL');
    throw new Error('systemd did not start');
  }

  /** Runs a command where it runs. */
  run(words: readonly string[], cwd = '/'): Ended {
    const inside = ['--target', this.#pid, '--all', `--wd=${cwd}`, ...words];
    const { status, stdout, stderr } = spawnSync('nsenter', inside, { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  /** Writes a file that only it sees. */
  write(path: string, text: string): void {
    const inside = ['--target', this.#pid, '--all', 'sh', '-c', 'mkdir -p "${0%/*}" && cat >"$0"'];
    spawnSync('nsenter', [...inside, path], { input: text });
  }

  /** Ends it, and with it all that it has started. */
  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#unshare.once('close', resolve));
    this.#unshare.kill('SIGKILL');
    await ended;
    for (let tries = 0; tries < 100; tries += 1) {
      const { status } = spawnSync('sh', ['-c', `find ${GROUP} -depth -type d -exec rmdir {} +`]);
      if (status === 0) {
        return;
      }
      await pause(100);
    }
    rmdirSync(GROUP);
  }
}
