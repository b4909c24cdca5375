import type { JsonText } from '../json/text-buffers';

/** The request of a program that asks while it runs, with its length before it: the pipe does not end there. */
export function withLength(request: JsonText): readonly Buffer[] {
  if (typeof request === 'string') {
    return [Buffer.from(`${Buffer.byteLength(request)}\n${request}`)];
  }
  const length = request.reduce((bytes, piece) => bytes + piece.length, 0);
  return [Buffer.from(`${length}\n`), ...request];
}
