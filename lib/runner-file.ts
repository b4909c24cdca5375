// The file that runs a safeExec, in every jail that does.
import { PROGRAM_NAME } from './jail-files';
import { pythonSource } from './python-source';
import type { JailFile } from './spec';

/** `runner.py`, read where it is first used. */
export const RUNNER: JailFile = {
  name: PROGRAM_NAME,
  get content() {
    return pythonSource('runner.py');
  },
};
