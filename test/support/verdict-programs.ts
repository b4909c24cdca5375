// Programs that exceed 64 MiB of memory, each in a way of its own, and programs that fail for other reasons.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandOptions } from '../../lib/index';

/** A program, and what has to be there to run it. */
export interface VerdictProgram {
  readonly what: string;
  /** `python` where it is Python: by the suite's own command. */
  readonly language: 'python' | 'C' | 'C++' | 'Go' | 'Rust' | 'Java' | 'Node' | 'Perl' | 'Ruby';
  readonly code: string;
}

const c = (body: string): string =>
  `#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint main(void) { ${body} }\n`;

/** What each language is made with, and how its programs are run. */
const COMPILERS = {
  C: { needs: 'gcc', file: 'main.c', words: ['-O0', '-w'] },
  'C++': { needs: 'g++', file: 'main.cc', words: ['-O0', '-w'] },
  Rust: { needs: 'rustc', file: 'main.rs', words: ['-Cdebuginfo=0'] },
} as const;
const INTERPRETERS = {
  Node: { needs: 'node', file: 'main.js', args: [] },
  Perl: { needs: 'perl', file: 'main.pl', args: [] },
  Ruby: { needs: 'ruby', file: 'main.rb', args: [] },
  Java: {
    needs: 'java',
    file: 'Main.java',
    args: ['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  },
} as const;

export const OUT_OF_MEMORY: readonly VerdictProgram[] = [
  { what: 'one block of a gigabyte', language: 'python', code: 'x = bytearray(10**9)' },
  {
    what: 'a list that grows',
    language: 'python',
    code: 'x = []\nwhile True: x.append(b"x" * 1000)',
  },
  {
    what: 'blocks that nobody touches',
    language: 'python',
    code: 'x = [bytearray(20 << 20) for _ in range(20)]',
  },
  {
    what: 'a string that doubles',
    language: 'python',
    code: 's = "x" * 1000\nwhile True: s += s',
  },
  {
    what: 'several processes together',
    language: 'python',
    code: 'import os, time\nfor _ in range(4):\n    if os.fork() == 0: break\nx = b"x" * (25 << 20)\ntime.sleep(5)',
  },
  { what: 'new of a gigabyte', language: 'C++', code: 'int main() { new char[1 << 30]; }' },
  {
    what: 'a vector that grows',
    language: 'C++',
    code: '#include <vector>\nint main() { std::vector<long> v; for (;;) v.push_back(1); }',
  },
  {
    what: '200 MB of bss',
    language: 'C',
    code: `static char x[200 << 20];\n${c('x[1] = 1; return x[5];')}`,
  },
  {
    what: 'a null pointer of malloc',
    language: 'C',
    code: c('char *x = malloc(300 << 20); memset(x, 1, 300 << 20); return 0;'),
  },
  {
    what: 'perror after malloc',
    language: 'C',
    code: c('char *x = malloc(300 << 20); if (!x) { perror("malloc"); return 1; } return 0;'),
  },
  {
    what: 'a loop of malloc',
    language: 'C',
    code: c('for (;;) { char *x = malloc(1 << 20); memset(x, 1, 1 << 20); }'),
  },
  {
    what: 'a slice of a gigabyte',
    language: 'Go',
    code: 'package main\nimport "os"\nfunc main() { x := make([]byte, 1<<30); for i := range x { x[i] = byte(len(os.Args)) }; println(x[5]) }',
  },
  {
    what: 'a vector of a gigabyte',
    language: 'Rust',
    code: 'fn main() { let x = vec![1u8; 1 << 30]; println!("{}", x.len()); }',
  },
  { what: 'a buffer of a gigabyte', language: 'Node', code: 'Buffer.alloc(1e9)' },
  {
    what: 'an array that grows',
    language: 'Node',
    code: 'const x = []; for (;;) x.push("x".repeat(1000) + x.length)',
  },
  { what: 'a string of a gigabyte', language: 'Perl', code: 'my $x = "x" x 1_000_000_000;' },
  { what: 'a string of a gigabyte', language: 'Ruby', code: 'x = "x" * 1_000_000_000' },
  {
    what: 'a list that grows',
    language: 'Java',
    code: 'public class Main { public static void main(String[] a) { var x = new java.util.ArrayList<byte[]>(); for (;;) x.add(new byte[1 << 20]); } }',
  },
];

export const OTHER_FAILURES: readonly VerdictProgram[] = [
  { what: 'an exception', language: 'python', code: 'raise ValueError("no memory of it")' },
  { what: 'a MemoryError of its own', language: 'python', code: 'raise MemoryError("mine")' },
  {
    what: 'another exception after a MemoryError that it caught',
    language: 'python',
    code: 'try: x = bytearray(10**9)\nexcept MemoryError: pass\n1 / 0',
  },
  { what: 'a status', language: 'python', code: 'raise SystemExit(3)' },
  { what: 'an abort', language: 'python', code: 'import os\nos.abort()' },
  {
    what: 'recursion without end',
    language: 'python',
    code: 'def f(): return f()\nf()',
  },
  { what: 'a null pointer', language: 'C', code: c('*(volatile int *)0 = 1; return 0;') },
  { what: 'an abort', language: 'C', code: c('abort();') },
  {
    what: 'a stack that overflows',
    language: 'C',
    code: `int f(int n) { volatile char x[1000]; x[0] = n; return f(n + 1) + x[0]; }\n${c('return f(0);')}`,
  },
  {
    what: 'a division by zero',
    language: 'C',
    code: c('volatile int z = 0; volatile int x = 7 / z; return x;'),
  },
  {
    what: 'an exception',
    language: 'C++',
    code: '#include <stdexcept>\nint main() { throw std::runtime_error("bad"); }',
  },
  {
    what: 'a bad_alloc of its own',
    language: 'C++',
    code: '#include <new>\nint main() { throw std::bad_alloc(); }',
  },
  { what: 'an exception', language: 'Perl', code: 'die "it broke\\n";' },
  { what: 'an exception', language: 'Ruby', code: 'raise "it broke"' },
  {
    what: 'a panic',
    language: 'Rust',
    code: 'fn main() { let v: Vec<i32> = Vec::new(); println!("{}", v[std::env::args().count()]); }',
  },
];

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** What a language needs, where it is not there. */
export function missingFor(language: VerdictProgram['language']): string | null {
  const needs =
    language === 'python'
      ? null
      : language === 'Go'
        ? 'go'
        : language in COMPILERS
          ? COMPILERS[language as keyof typeof COMPILERS].needs
          : INTERPRETERS[language as keyof typeof INTERPRETERS].needs;
  return needs === null || isThere(needs) ? null : needs;
}

/** A command for a program that is no Python, built in a folder that the caller alone can write. */
export function commandFor({ language, code }: VerdictProgram, folder: string): CommandOptions {
  mkdirSync(folder, { recursive: true });
  const bin = join(folder, 'program');
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  if (language === 'Go') {
    const file = join(folder, 'main.go');
    writeFileSync(file, code);
    const env = { ...process.env, GO111MODULE: 'off', GOCACHE: join(folder, '..', 'cache') };
    execFileSync('go', ['build', '-o', bin, file], { env, stdio: [...stdio] });
    return { bin };
  }
  if (language === 'C' || language === 'C++' || language === 'Rust') {
    const { needs, file, words } = COMPILERS[language];
    writeFileSync(join(folder, file), code);
    execFileSync(needs, [...words, '-o', bin, join(folder, file)], { stdio: [...stdio] });
    return { bin };
  }
  const { needs, file, args } = INTERPRETERS[language as keyof typeof INTERPRETERS];
  writeFileSync(join(folder, file), code);
  return { bin: needs, args: [...args, join(folder, file)], readPaths: [folder] };
}
