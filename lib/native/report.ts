// What the launcher tells at a jail's end, and while it goes on.

/** Why the launcher ended the program; native/core/report.h has the same. */
export const Verdict = { none: 0, stopped: 1, cpu: 2, memory: 3 } as const;

/** What was tried in vain; native/core/report.h has the same. */
export const AttemptKind = { open: 0, makeDirectory: 1, exec: 2, socket: 3, connect: 4 } as const;

/** The launcher's last words. */
export interface NativeReport {
  status: number;
  verdict: number;
  userMs: number;
  systemMs: number;
  cpuMs: number;
  peakRssBytes: number;
  peakMemoryBytes: number;
  /** Of one process, what counts to RLIMIT_DATA, and the main process's stack: the most that was seen. */
  peakDataBytes: number;
  peakStackBytes: number;
  /** By how much the program went beyond RLIMIT_DATA or RLIMIT_AS with what it asked for; 0 where it was refused nothing. */
  overDataBytes: number;
  overAddressBytes: number;
  diskBytes: number;
  diskFiles: number;
  diskFull: boolean;
  filesFull: boolean;
  /** Whether the AppArmor profile was not in force any more when the program had ended. */
  profileLost: boolean;
}

/** How many numbers a report has. */
export const REPORT_NUMBERS = 16;

/** A report as native/addon/jail_events.cc writes it. */
export function readReport(numbers: Float64Array): NativeReport {
  return {
    status: numbers[0] ?? 0,
    verdict: numbers[1] ?? 0,
    userMs: numbers[2] ?? 0,
    systemMs: numbers[3] ?? 0,
    cpuMs: numbers[4] ?? 0,
    peakRssBytes: numbers[5] ?? 0,
    peakMemoryBytes: numbers[6] ?? 0,
    peakDataBytes: numbers[7] ?? 0,
    peakStackBytes: numbers[8] ?? 0,
    overDataBytes: numbers[9] ?? 0,
    overAddressBytes: numbers[10] ?? 0,
    diskBytes: numbers[11] ?? 0,
    diskFiles: numbers[12] ?? 0,
    diskFull: numbers[13] === 1,
    filesFull: numbers[14] === 1,
    profileLost: numbers[15] === 1,
  };
}
