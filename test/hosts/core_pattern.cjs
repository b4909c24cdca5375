// Has Node read another core pattern than the kernel's, which is one for all: `node --require core_pattern.cjs`, with it
// in SIMULATED_CORE_PATTERN. A file mounted there instead would keep jails from mounting a /proc (proc(5), "masked").
'use strict';

const fs = require('node:fs');

const { SIMULATED_CORE_PATTERN: pattern = 'core' } = process.env;
const { readFileSync } = fs;

fs.readFileSync = (path, ...rest) =>
  path === '/proc/sys/kernel/core_pattern' ? `${pattern}\n` : readFileSync(path, ...rest);
