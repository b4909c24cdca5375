// Servers of their own, which lack something.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where this package is. */
export const ROOT = join(__dirname, '..', '..');
const LIBRARY = join(ROOT, 'lib', 'index.ts');
/** What `npm run build` makes: needs no loader, which caches where the user of a namespace can't. */
export const BUILT_LIBRARY = join(ROOT, 'dist', 'index.js');
const LOADER = join(__dirname, 'load-typescript.js');

/** Runs a server of its own by a shell, which may take something away from it first. */
export async function server(
  source: string,
  before = '',
): Promise<{ status: number | null; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  const answer = join(folder, 'answer');
  try {
    const child = spawn(
      'sh',
      [
        '-c',
        `${before} exec "$@"`,
        'sh',
        process.execPath,
        ...(source.includes(BUILT_LIBRARY) ? [] : ['-r', LOADER]),
        '-e',
        source,
      ],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, ANSWER: answer },
      },
    );
    const [status] = (await once(child, 'close')) as [number | null];
    let said = '';
    try {
      said = readFileSync(answer, 'utf8');
    } catch {
      // It got to no answer.
    }
    return { status, said };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A server's script: `say(text)` writes what `server` gives back; `takeDescriptors(spare)` leaves it so many, until
 * `giveBack` gets what it returns.
 */
export function script(body: string, library = LIBRARY): string {
  return `
    const fs = require('node:fs');
    const { createJail } = require(${JSON.stringify(library)});
    const say = (text) => fs.appendFileSync(process.env.ANSWER, text + '\\n');
    const giveBack = (held) => held.forEach((descriptor) => fs.closeSync(descriptor));
    const takeDescriptors = (spare = 0) => {
      const held = [];
      try { for (;;) held.push(fs.openSync('/dev/null')); } catch {}
      giveBack(held.splice(held.length - spare));
      return held;
    };
    (async () => { ${body} })().then(() => say('end'), (error) => say(String(error.code) + ' ' + error.message));`;
}
