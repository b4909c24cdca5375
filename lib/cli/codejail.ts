#!/usr/bin/env node
// The command `codejail`.
import { report } from './failure';
import { makeProgram } from './program';

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') {
    throw error;
  }
});

async function main(): Promise<void> {
  try {
    await makeProgram((status) => {
      process.exitCode = status;
    }).parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

void main();
