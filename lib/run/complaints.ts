// What a program complains of: the errors of system calls, as the runtimes of many languages print them.

/** An error that a line of a program's standard error names. */
export interface Complaint {
  /** `EACCES`; or what is known by other words: `threads`, `interpreter`. */
  kind: string;
  /** The path or name in that line; undefined where there is none. */
  path: string | undefined;
  line: string;
}

// In this order: a line counts for the first that fits. glibc's words, and the names that Node and others print.
const KINDS: readonly (readonly [kind: string, words: RegExp])[] = [
  ['temporary', /No usable temporary directory/],
  ['library', /error while loading shared libraries: |cannot open shared object file/],
  ['interpreter', /bad interpreter|cannot execute: required file not found/],
  [
    'format',
    /Exec format error|\bENOEXEC\b|cannot execute binary file|wrong ELF class|invalid ELF header/,
  ],
  [
    'module',
    /ModuleNotFoundError: No module named|Cannot find module|Can't locate \S+ in @INC|cannot load such file/,
  ],
  [
    'threads',
    /can't start new thread|unable to create (?:new )?native thread|pthread_create|uv_thread_create|failed to create new OS thread/i,
  ],
  [
    'names',
    /name resolution|Name or service not known|\bEAI_AGAIN\b|\bENOTFOUND\b|Could not resolve|getaddrinfo|UnknownHostException|no such host|gaierror/i,
  ],
  [
    'network',
    /Network is (?:unreachable|down)|\bENETUNREACH\b|\bENETDOWN\b|No route to host|\bEHOSTUNREACH\b|Connection refused|\bECONNREFUSED\b|Cannot assign requested address|\bEADDRNOTAVAIL\b|Address family not supported|\bEAFNOSUPPORT\b/i,
  ],
  ['EFBIG', /File too large|\bEFBIG\b|File size limit exceeded/i],
  ['ENOSPC', /No space left on device|\bENOSPC\b/i],
  ['EMFILE', /Too many open files|\bEMFILE\b/i],
  ['ENOBUFS', /No buffer space available|\bENOBUFS\b/i],
  ['EAGAIN', /Resource temporarily unavailable|\bEAGAIN\b|fork: retry|cannot fork/i],
  [
    'ENOMEM',
    /MemoryError\b|Cannot allocate memory|\bENOMEM\b|bad_alloc|out of memory|OutOfMemoryError/i,
  ],
  ['ENOSYS', /Function not implemented|\bENOSYS\b/i],
  ['EOPNOTSUPP', /Operation not supported|\bEOPNOTSUPP\b|\bENOTSUP\b/i],
  ['EINVAL', /Invalid argument|\bEINVAL\b/i],
  ['EROFS', /Read-only file system|\bEROFS\b/i],
  ['EACCES', /Permission denied|\bEACCES\b/i],
  ['EPERM', /Operation not permitted|\bEPERM\b/i],
  [
    'ENOENT',
    /No such file or directory|\bENOENT\b|NoSuchFileException|FileNotFoundError|Bad system call/i,
  ],
];

// Between quotes, as Python, Node and coreutils write them, or between spaces and colons, as perror(3) and bash do.
const QUOTED = /['"‘`]([^'"’`]+)['"’]/g;
const BEFORE =
  /([^\s:'"]+): (?:Permission denied|No such file|Operation not permitted|Read-only file|Is a directory|command not found|not found)/g;
const BARE = /(?:^|[\s:(])((?:\/|\.{1,2}\/|tmp\/)[^\s:'"),]+)/g;

// Node prints an error's properties after its stack.
const NODE_DETAIL = /^\s+(?:errno|code|syscall|address|port|path|spawnargs|hostname): /;

function pathOf(line: string): string | undefined {
  const quoted = [...line.matchAll(QUOTED)].map(([, path]) => path ?? '');
  const bare = [...line.matchAll(BARE)].map(([, path]) => path ?? '');
  const before = [...line.matchAll(BEFORE)].map(([, path]) => path ?? '');
  const names = quoted.filter((path) => !/^E[A-Z]+$/.test(path));
  const paths = [...quoted.filter((path) => path.includes('/')), ...bare, ...before, ...names];
  return paths[0];
}

/** The complaint of one line, or undefined. */
export function complaintOf(line: string): Complaint | undefined {
  if (NODE_DETAIL.test(line)) {
    return undefined;
  }
  const kind = KINDS.find(([, words]) => words.test(line))?.[0];
  return kind === undefined ? undefined : { kind, path: pathOf(line), line };
}
