// The plan of lib/build/plan.ts, made of binding.gyp: what the clone builds by node-gyp, in words for any compiler.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { root, ScriptError } from '../console.mjs';

/** Headers of Node and of node-addon-api, for a machine that has neither. */
export const HEADERS = 'native/include';

const FILE_OF_TARGET = (name, type) =>
  type === 'executable' ? name : type === 'shared_library' ? `${name}.so` : `${name}.node`;
const KIND_OF_TYPE = { executable: 'program', shared_library: 'library' };

// Said for everybody, or of one kind of machine: a compiler of another has words of its own for them.
const OF_A_MACHINE = new Set([
  ...['-static-pie', '-static-libgcc', '-static-libstdc++', '-s', '-Wl,--gc-sections'],
]);
// What node-gyp adds, by Node's common.gypi.
const ALWAYS = ['-fPIC', '-pthread', '-fno-omit-frame-pointer'];
const DEFINES = ['_GNU_SOURCE', '_FILE_OFFSET_BITS=64', '__STDC_FORMAT_MACROS'];

/** binding.gyp is a literal of Python, which is one of JavaScript but for its comments. */
function readGyp() {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replaceAll(/^\s*#.*$/gm, '');
  return runInNewContext(`(${text})`, Object.create(null), { timeout: 1000 });
}

function expanded(list, variables) {
  return list.flatMap((word) => {
    const [, name] = /^<@\((\w+)\)$/.exec(word) ?? [];
    if (name === undefined) return [word];
    if (!Object.hasOwn(variables, name)) {
      throw new ScriptError(`binding.gyp uses ${word}, which it does not define`);
    }
    return expanded(variables[name], variables);
  });
}

/** A word that gyp would ask a command for is where the headers are, which are elsewhere here. */
function withoutCommands(words) {
  return words.filter((word, index) => {
    const isPlace = (text) => /^<!/.test(text ?? '');
    return !isPlace(word) && !(word === '-isystem' && isPlace(words[index + 1]));
  });
}

/** The targets of binding.gyp, as `Target` of lib/build/plan.ts. */
export function makePlan() {
  const { variables, target_defaults: common, targets } = readGyp();
  // What is a warning's or a machine's is left out; -Wl,-z,… stays.
  const warnings = new Set(variables.warnings);
  const words = (list) =>
    withoutCommands(expanded(list ?? [], variables)).filter((word) => !warnings.has(word));
  return targets.map((target) => {
    const kind = KIND_OF_TYPE[target.type] ?? 'addon';
    return {
      file: FILE_OF_TARGET(target.target_name, target.type),
      kind,
      sources: expanded(target.sources, variables),
      includes: [
        ...common.include_dirs,
        ...(target.include_dirs ?? []),
        ...(kind === 'addon' ? [HEADERS] : []),
      ],
      defines: [...DEFINES, ...(target.defines ?? [])],
      compile: [
        ...ALWAYS,
        ...words(common.cflags_cc),
        ...words(target.cflags),
        ...words(target.cflags_cc),
      ],
      link: [...words(common.ldflags), ...words(target.ldflags)].filter(
        (word) => !OF_A_MACHINE.has(word),
      ),
    };
  });
}
