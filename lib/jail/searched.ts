import type { Command } from '../command/command';
import { encodeRequest } from '../exec/request';
import type { JsonText } from '../json/text-buffers';
import type { SafeExecArguments } from '../options/types';
import type { CommandCall } from './dispatcher';

/**
 * What differs for a call whose `pythonPath` names directories that the command's template has searched on the host
 * already; undefined where nothing does.
 */
export function searchedByTemplate(
  { options: { warm } }: Command,
  { pythonPath, searched, files, functions }: SafeExecArguments,
  codeJson: JsonText,
  globalsJson: JsonText,
): CommandCall['warm'] {
  if (warm === false || searched.length === 0) {
    return undefined;
  }
  const shown = new Map(
    searched
      .filter(({ path }) => warm.pythonPath.includes(path))
      .map(({ name, path }) => [name, path]),
  );
  return shown.size === 0
    ? undefined
    : {
        copies: files.filter(({ name }) => !shown.has(name)),
        request: () =>
          encodeRequest(
            codeJson,
            globalsJson,
            pythonPath.map((name) => shown.get(name) ?? name),
            functions,
          ),
      };
}
