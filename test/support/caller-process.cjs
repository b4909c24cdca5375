'use strict';
// A server in a process of its own, so that it can be confined itself: runs one program, of Python, and prints what
// came of it. Arguments: createJail's options, the program.
const process = require('node:process');
const { createJail } = require('../../dist/index.js');

const [options, code] = process.argv.slice(2);
createJail(JSON.parse(options))
  .jailCode('python', { code, limits: { realtime: 60, cpu: 30 } })
  .then(
    ({ stdout, stderr, status, confinement }) => ({
      stdout: stdout.toString(),
      stderr: stderr.toString(),
      status,
      confinement,
    }),
    ({ code: error, message, missing }) => ({ error, message, missing }),
  )
  .then((outcome) => {
    process.stdout.write(JSON.stringify(outcome));
  });
