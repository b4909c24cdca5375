// What an explained call tried in vain.
import { errnoName } from '../text/errno';
import type { NativeEvent } from '../native/addon';
import { AttemptKind } from '../native/report';

/** What an explained call's program tried, and failed to. It is told for people: the program may have tried more. */
export interface Attempt {
  /** Which kind of system call. */
  call: 'open' | 'mkdir' | 'exec' | 'socket' | 'connect';
  /** The path as the program gave it, or a socket's family and type. */
  what: string;
  /** Why it failed: `EACCES`, `ENOENT`. */
  error: string;
}

type KindName = keyof typeof AttemptKind;

const CALLS: Readonly<Record<KindName, Attempt['call']>> = {
  open: 'open',
  makeDirectory: 'mkdir',
  exec: 'exec',
  socket: 'socket',
  connect: 'connect',
};

/** An attempt as the launcher tells of it. */
export function attemptOf({
  kind,
  errno,
  what,
}: Extract<NativeEvent, { type: 'attempt' }>): Attempt {
  const names = Object.keys(AttemptKind) as KindName[];
  const name = names.find((each) => AttemptKind[each] === kind) ?? 'open';
  return { call: CALLS[name], what, error: errnoName(errno) };
}
