// The file that runs a safeExec, in every jail that does.
import { PROGRAM_NAME, type JailFile } from '../spec/files';
import { runnerSource } from './source';

/** The runner, read where it is first used. */
export const RUNNER: JailFile = {
  name: PROGRAM_NAME,
  get content() {
    return runnerSource();
  },
};
