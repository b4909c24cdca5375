'use strict';
// A server in a process of its own, so that it can be confined itself: runs one program, of Python, and prints what
// came of it; when what waits for calls stands, where that is configured. Arguments: createJail's options, the program.
const process = require('node:process');
const { createJail } = require('../../dist/index.js');

const [options, code] = process.argv.slice(2);
const jail = createJail(JSON.parse(options));
jail
  .warmUp()
  .then(() => jail.jailCode('python', { code, limits: { realtime: 60, cpu: 30 } }))
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
    return jail.close();
  });
