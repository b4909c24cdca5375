// What a binary needs of the machine that it runs on, and which hardening it has, as readelf(1) tells.
import { execFileSync } from 'node:child_process';

const read = (...words) =>
  execFileSync('readelf', ['--wide', ...words], { encoding: 'utf8', maxBuffer: 1 << 28 });

const MACHINES = { x64: 'X86-64', arm64: 'AArch64' };

/** Libraries that are part of a libc: musl answers for `libc.so` itself. */
const OF_LIBC = {
  glibc:
    /^(?:libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|libutil\.so\.1|ld-linux-[\w-]+\.so\.\d)$/,
  musl: /^libc\.so$/,
};

const compareVersions = (a, b) => {
  const [[a1, a2 = 0], [b1, b2 = 0]] = [a, b].map((text) => text.split('.').map(Number));
  return a1 - b1 || a2 - b2;
};

/** Facts of one file. */
export function examine(path) {
  const header = read('--file-header', path);
  const segments = read('--program-headers', path);
  const dynamic = read('--dynamic', path);
  const symbols = read('--dyn-syms', path);
  const notes = read('--notes', path);
  const versions = (prefix) =>
    [...read('--version-info', path).matchAll(new RegExp(`Name: ${prefix}_([\\d.]+)`, 'g'))].map(
      ([, version]) => version,
    );
  const stack = /GNU_STACK\s+(?:0x\w+\s+){5}([RWE ]+?)\s+\w+$/m.exec(segments)?.[1];
  return {
    machine: /Machine:\s+.*?(X86-64|AArch64)/.exec(header)?.[1],
    needed: [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name),
    glibc: versions('GLIBC').sort(compareVersions).at(-1) ?? null,
    cplusplus: [...versions('GLIBCXX'), ...versions('CXXABI')],
    interpreter: /INTERP/.test(segments),
    isPositionIndependent: /Type:\s+DYN/.test(header),
    relro: /GNU_RELRO/.test(segments),
    bindNow: /BIND_NOW|Flags:.*\bNOW\b/.test(dynamic),
    stackIsData: stack !== undefined && !stack.includes('E'),
    // Static programs have no such symbols left: the plan's words are looked at for them.
    stackProtector: /UND\s+__stack_chk_fail/.test(symbols),
    fortified: [...symbols.matchAll(/UND\s+(__\w+_chk)\b/g)]
      .map(([, name]) => name)
      .filter((name) => name !== '__stack_chk_fail'),
    branchProtection: /x86 feature:.*(?:IBT|SHSTK)|AArch64 feature:.*(?:BTI|PAC)/.test(notes),
  };
}

/** What a file has that it must not have, or lacks. */
export function faultsOf(facts, { cpu, libc }, kind, floor) {
  const faults = [];
  const unless = (holds, fault) => {
    if (!holds) faults.push(fault);
  };
  unless(facts.machine === MACHINES[cpu], `is for ${facts.machine}, not for ${cpu}`);
  unless(facts.isPositionIndependent, 'is not position independent');
  unless(facts.relro, 'has no RELRO segment');
  unless(facts.stackIsData, 'has an executable stack');
  unless(facts.cplusplus.length === 0, `needs libstdc++ (${facts.cplusplus.join(', ')})`);
  if (kind === 'program') {
    unless(
      facts.needed.length === 0 && !facts.interpreter,
      `is not static: ${facts.needed.join(', ')}`,
    );
    return faults;
  }
  const foreign = facts.needed.filter((name) => !OF_LIBC[libc].test(name));
  unless(foreign.length === 0, `needs ${foreign.join(', ')}`);
  unless(facts.bindNow, 'is bound lazily, so that its table of functions stays writable');
  unless(facts.stackProtector, 'has no stack protector');
  if (libc === 'glibc') {
    unless(
      facts.glibc === null || compareVersions(facts.glibc, floor) <= 0,
      `needs glibc ${facts.glibc}, and ${floor} is promised`,
    );
  } else {
    unless(facts.glibc === null, 'needs glibc');
  }
  return faults;
}
