// A jail's pipe in the event loop.
import { Socket } from 'node:net';
import { native } from './native';

/**
 * The socket of one end of a jail's pipe, which it closes from now on. A pipe that breaks has ended, and is no error: how
 * the program did is told by the launcher.
 */
export function pipeSocket(descriptor: number, direction: 'readable' | 'writable'): Socket {
  native().addon.disown(descriptor);
  const readable = direction === 'readable';
  const socket = new Socket({ fd: descriptor, readable, writable: !readable });
  socket.on('error', () => undefined);
  return socket;
}
