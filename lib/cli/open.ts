// codejail run --open: shows the pictures that a program left, where there is somebody to see them.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JailResult } from '../index';
import { pictureType, type PictureType } from '../mcp/picture';
import { printable } from '../text/printable';
import { sayAside } from './terminal';

/** More are only named: a program may leave thousands. */
const MOST = 5;

// What a program left is anybody's: a page or a shortcut would be run by what opens it. A picture is one by its name, by
// which it is opened, and by its first bytes.
const NAMES: Readonly<Record<PictureType, RegExp>> = {
  'image/png': /\.png$/i,
  'image/jpeg': /\.jpe?g$/i,
  'image/gif': /\.gif$/i,
  'image/webp': /\.webp$/i,
};

function isPicture({ path, content }: JailResult['collected'][number]): boolean {
  const type = pictureType(content);
  return type !== undefined && NAMES[type].test(path);
}

/** The path of xdg-open, where it is and a display too. */
function opener(): string | undefined {
  const { DISPLAY = '', WAYLAND_DISPLAY = '', PATH = '' } = process.env;
  if (DISPLAY === '' && WAYLAND_DISPLAY === '') {
    return undefined;
  }
  return PATH.split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, 'xdg-open'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Opens what was collected into a directory, or says where it is. */
export function openPictures(directory: string, collected: JailResult['collected']): void {
  const pictures = collected.filter(isPicture);
  const others = collected.length - pictures.length;
  const program = opener();
  for (const { path } of pictures.slice(0, MOST)) {
    const place = resolve(directory, path);
    if (program === undefined) {
      sayAside(`codejail: there is no display to open it on: ${printable(place)}`);
    } else {
      // It lives as long as whoever looks at it.
      const child = spawn(program, [place], { stdio: 'ignore', detached: true });
      child.once('error', (error) => {
        sayAside(`codejail: xdg-open can't be started: ${error.message}`);
      });
      child.unref();
    }
  }
  const unopened = [
    ...(pictures.length > MOST ? [`${pictures.length - MOST} more pictures`] : []),
    ...(others > 0 ? [`${others} that ${others === 1 ? 'is no picture' : 'are no pictures'}`] : []),
  ];
  if (unopened.length > 0) {
    sayAside(`codejail: not opened: ${unopened.join(', ')}`);
  }
}
