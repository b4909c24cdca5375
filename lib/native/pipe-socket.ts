// A jail's pipe in the event loop.
import { Socket } from 'node:net';
import { SetupError } from '../errors';
import { native } from './addon';

/**
 * The socket of one end of a jail's pipe, which it closes from now on. A pipe that breaks has ended, and is no error: how
 * the program did is told by the launcher.
 * @throws SetupError where this process can't have another one; then the descriptor is closed
 */
export function pipeSocket(descriptor: number, direction: 'readable' | 'writable'): Socket {
  const { addon } = native();
  const readable = direction === 'readable';
  let socket: Socket;
  try {
    socket = new Socket({ fd: descriptor, readable, writable: !readable });
  } catch (cause) {
    addon.closeDescriptor(descriptor);
    const { errno, syscall, message } = cause as NodeJS.ErrnoException;
    throw new SetupError('read and write the pipes', -(errno ?? 0), {
      syscall,
      detail: message,
      cause,
    });
  }
  addon.disown(descriptor);
  socket.on('error', () => undefined);
  return socket;
}
