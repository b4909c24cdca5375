// The tools that building the native part needs, and how to get those that are missing.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ScriptError } from './console.mjs';

/** Whether a program of this name is on the PATH. */
export function installed(program) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const installation = [
  '  Debian, Ubuntu:   sudo apt-get install -y make g++ python3',
  '  Fedora, RHEL:     sudo dnf install -y make gcc-c++ glibc-static libstdc++-static python3',
  '  Alpine:           sudo apk add make g++ linux-headers python3',
].join('\n');

/** Throws a ScriptError that says what to install when make, a C++ compiler or Python is missing. */
export function requireToolchain() {
  const missing = [];
  if (!installed('make')) missing.push('make');
  if (process.env.CXX === undefined && !installed('g++')) missing.push('a C++ compiler (g++)');
  if (process.env.PYTHON === undefined && !installed('python3')) missing.push('python3');
  if (missing.length > 0) {
    throw new ScriptError(
      `the native part can't be built here: ${missing.join(', ')} missing. Install with\n${installation}`,
    );
  }
}

/** What to do about a failed build, or an empty string when its output doesn't tell. */
export function buildAdvice(output) {
  if (/cannot find -l(c|stdc\+\+|m)\b/.test(output)) {
    return `\nThe static C library is missing. Install with\n${installation}`;
  }
  if (/getaddrinfo|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTFOUND/.test(output)) {
    return (
      "\nNode's headers could not be downloaded. Where they are installed already (include/node/node.h), " +
      'name the directory above include: npm_config_nodedir=/usr'
    );
  }
  return '';
}

/**
 * Node's own headers when they came with this Node and nothing else is configured: node-gyp would
 * download the same again.
 */
export function nodeDirectory() {
  if (process.env.npm_config_nodedir !== undefined) {
    return undefined;
  }
  const directory = dirname(dirname(process.execPath));
  const header = join(directory, 'include/node/node_version.h');
  if (!existsSync(header)) {
    return undefined;
  }
  const text = readFileSync(header, 'utf8');
  const version = ['MAJOR', 'MINOR', 'PATCH']
    .map((part) => new RegExp(`NODE_${part}_VERSION (\\d+)`).exec(text)?.[1])
    .join('.');
  return version === process.versions.node ? directory : undefined;
}

/** The directory of Node's headers, node_api.h and uv.h: as configured, else this Node's, else the system's. */
export function nodeHeaders() {
  return [process.env.npm_config_nodedir, nodeDirectory(), '/usr']
    .filter((directory) => directory !== undefined)
    .map((directory) => join(directory, 'include/node'))
    .find((directory) => existsSync(join(directory, 'uv.h')));
}
