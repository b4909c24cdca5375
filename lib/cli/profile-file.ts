// One AppArmor profile on this host: its file, and what the kernel has loaded. Changing either needs root.
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROFILE_DIRECTORY } from '../apparmor/host';
import { PARSER_OPTIONS } from '../apparmor/profile';
import { runChild } from './child';
import { CommandLineError } from './failure';

const LOADED = '/sys/kernel/security/apparmor/profiles';

/** What the kernel does with a profile; `unknown` where this user must not see it. */
export type ProfileMode = 'enforce' | 'complain' | 'kill' | 'unconfined' | 'not loaded' | 'unknown';

/** A profile as it is, compared with what it should be. */
export interface ProfileStatus {
  name: string;
  path: string;
  mode: ProfileMode;
  file: 'as rendered' | 'different' | 'missing';
}

/** What an installation has done. */
export interface Installed {
  changed: boolean;
  /** Where the file that was there before is kept. */
  backup: string | undefined;
}

/** A rendered profile. */
export interface RenderedProfile {
  name: string;
  text: string;
}

/** Where a profile's file is. */
export function profilePath(name: string): string {
  return join(PROFILE_DIRECTORY, name);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

function modeOf(name: string): ProfileMode {
  let text: string | undefined;
  try {
    text = readIfThere(LOADED);
  } catch {
    return 'unknown';
  }
  const line = (text ?? '').split('\n').find((candidate) => candidate.startsWith(`${name} (`));
  return (line?.slice(name.length + 2, -1) ?? 'not loaded') as ProfileMode;
}

/** Compares what is there with what was rendered. */
export function statusOfProfile({ name, text }: RenderedProfile): ProfileStatus {
  const path = profilePath(name);
  const found = readIfThere(path);
  return {
    name,
    path,
    mode: modeOf(name),
    file: found === undefined ? 'missing' : found === text ? 'as rendered' : 'different',
  };
}

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Makes sure that profiles can be changed here.
 * @param action what a person typed: `install`
 * @throws CommandLineError
 */
export function requireAppArmor(action: string): void {
  if (process.geteuid?.() !== 0) {
    throw new CommandLineError(
      `profile ${action} needs root\nTry: sudo ${process.argv.map(quoted).join(' ')}`,
    );
  }
  if (!existsSync(LOADED)) {
    throw new CommandLineError(
      'this kernel runs without AppArmor: nothing was changed\n' +
        'Boot with apparmor=1 security=apparmor, or do without: namespaces, seccomp and Landlock confine too (codejail doctor)',
    );
  }
}

async function parser(...words: string[]): Promise<void> {
  const { status, output } = await runChild(['apparmor_parser', ...words], false).catch(
    (error: unknown) => {
      throw error instanceof CommandLineError
        ? new CommandLineError(`${error.message}\nInstall it: sudo apt-get install -y apparmor`)
        : error;
    },
  );
  if (status !== 0) {
    throw new CommandLineError(
      `apparmor_parser ${words.join(' ')} failed, with status ${status}:\n${output.trim()}`,
    );
  }
}

/** Parses a profile without loading it, warnings being errors. */
async function check({ name, text }: RenderedProfile): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'codejail-profile-'));
  try {
    const path = join(directory, name);
    await writeFile(path, text);
    await parser(...PARSER_OPTIONS, '--skip-kernel-load', '--skip-cache', path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

// AppArmor's start-up loads every file of its directory but those with such an ending.
async function backUp(path: string): Promise<string> {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const backup = `${path}.${stamp}~`;
  await copyFile(path, backup);
  return backup;
}

/**
 * Writes a profile's file and loads it; does nothing where both are so already.
 * @throws CommandLineError where it does not parse or load: then the file is as it was
 */
export async function installProfile(profile: RenderedProfile): Promise<Installed> {
  const before = statusOfProfile(profile);
  const { path } = before;
  if (before.file === 'as rendered' && before.mode !== 'not loaded' && before.mode !== 'complain') {
    return { changed: false, backup: undefined };
  }
  await check(profile);
  const backup = before.file === 'different' ? await backUp(path) : undefined;
  if (before.file !== 'as rendered') {
    // In place at once: start-up never finds half a profile. A name with a dot is not loaded.
    const partial = join(PROFILE_DIRECTORY, `.${profile.name}.new`);
    await writeFile(partial, profile.text, { mode: 0o644 });
    await rename(partial, path);
  }
  try {
    await parser('--replace', path);
  } catch (error) {
    if (backup !== undefined) {
      await rename(backup, path);
    } else if (before.file === 'missing') {
      await rm(path, { force: true });
    }
    throw error;
  }
  return { changed: true, backup };
}

/**
 * Unloads a profile and removes its file, of which a copy is kept. Jails that run under it are confined by
 * everything else from then on.
 * @throws CommandLineError where the kernel keeps it
 */
export async function removeProfile(name: string): Promise<Installed> {
  const path = profilePath(name);
  const found = readIfThere(path) !== undefined;
  const mode = modeOf(name);
  if (mode !== 'not loaded' && mode !== 'unknown') {
    if (!found) {
      throw new CommandLineError(
        `the profile ${name} is loaded, but not from ${path}: unload it where it came from`,
      );
    }
    await parser('--remove', path);
  }
  if (!found) {
    return { changed: false, backup: undefined };
  }
  const backup = await backUp(path);
  await rm(path);
  return { changed: true, backup };
}
