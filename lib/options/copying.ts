// What a call was given and was too long to be copied at once.
import type { Input } from '../run/input';
import type { JailFile, LongContent } from '../spec/files';
import { Budget } from '../time/budget';
import { Unread, type Given } from './content';
import type { ExtraFile } from './files';

/** A call with what it was given. */
interface GivenCall {
  files: readonly (JailFile | ExtraFile)[];
  stdin?: Given | Input | undefined;
}

/** The same, all of it copied. */
export type Copied<Call extends GivenCall> = Omit<Call, keyof GivenCall> & {
  files: readonly JailFile[];
  stdin?: Input | undefined;
};

function isUnread({ content }: JailFile | ExtraFile): boolean {
  return content instanceof Unread;
}

async function* inPieces({ pieces }: LongContent): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    yield await Promise.resolve(piece);
  }
}

async function copyAll<Call extends GivenCall>(call: Call): Promise<Copied<Call>> {
  const budget = new Budget();
  const files: JailFile[] = [];
  for (const { content, ...file } of call.files) {
    files.push({
      ...file,
      content: content instanceof Unread ? await content.read(budget) : content,
    });
    if (budget.isSpent()) {
      await budget.nextTurn();
    }
  }
  const { stdin } = call;
  return {
    ...call,
    files,
    stdin: stdin instanceof Unread ? inPieces(await stdin.read(budget)) : stdin,
  };
}

/**
 * Copies what of a call was too long to be copied when it was made; the event loop goes on meanwhile.
 * @returns at once where nothing was
 * @throws InvalidArgumentError where it is no text, or has changed its length
 */
export function copyLong<Call extends GivenCall>(call: Call): Copied<Call> | Promise<Copied<Call>> {
  return call.stdin instanceof Unread || call.files.some(isUnread)
    ? copyAll(call)
    : (call as Copied<Call>);
}
