// A program that failed, and one thing that it complains of.
import type { Limits } from '../limits';
import type { NativeReport } from '../native/report';
import type { Attempt } from './attempt';
import type { Complaint } from './complaints';
import type { JailResult } from './result';

/** What is known of a run that failed. */
export interface Failed extends Pick<JailResult, 'status' | 'signal' | 'outcome' | 'exceeded'> {
  stderr: Buffer;
  limits: Limits;
  /** The launcher's, where it could report. */
  report: NativeReport | undefined;
  /** Where the program ran. */
  directory: string;
  /** Whether the command may execute other programs. */
  mayExec: boolean;
  /** What an explained call tried in vain. */
  attempts: readonly Attempt[];
}

/** A complaint, and all that is known of who complains. */
export interface Scene extends Failed {
  complaint: Complaint;
  /** The lines that show what the program was about: a traceback's, else the complaint's. */
  code: string;
}

// What a program was about, by its code.
export const EXEC =
  /_execute_child|posix_spawn|os\.exec|execv|subprocess|popen|system\(|fork\/exec|Cannot run program|child_process|\bspawn(?:Sync)?\b|\bexec(?:ve|vp|l|lp)?\b|`.*`/i;
export const SOCKET = /socket|connect|urlopen|requests|http|bind\(|listen\(|sendto/i;
export const WRITES =
  /open\([^)]*,\s*(?:mode\s*=\s*)?['"][wax+]|mode\s*=\s*['"][wax+]|['"]r\+|write|mkdir|makedirs|touch|unlink|remove|rename|rmdir|symlink|O_CREAT|O_WRONLY|O_RDWR|\bto_csv|savefig|\bsave\(|dump\(|cannot (?:create|touch|remove|move)|copy/i;
export const IDENTITY = /set(?:res|re)?[ug]id|setgroups|chown|chroot|sethostname/i;
export const KERNEL =
  /ptrace|mount|unshare|setns|memfd|shmget|keyctl|bpf|perf_event|io_uring|reboot|swapon|settimeofday|clock_settime|iopl|init_module|pidfd|sendmsg|send_fds|mmap|mprotect|syscall\(|sched_set|nice\(|setpriority|mlock|inotify|fanotify|prctl|personality|userfaultfd|mq_open|semget|msgget/i;
export const PROCESS = /\bkill|killpg|setrlimit|prlimit/i;

export const SHARED_MEMORY =
  /SharedMemory|ShareableList|shared_memory|_posixshmem|shm_open|sem_open|SemLock/;

/** Whether a path is a name of shared memory or of a semaphore, which is in /dev/shm. */
export function isSharedMemory(path: string, code: string): boolean {
  return /^\/[^/]+$/.test(path) && SHARED_MEMORY.test(code);
}
