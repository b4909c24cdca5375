// How a Python is given the library by which its output comes as it is printed (native/output).

const PRELOAD = 'LD_PRELOAD';

/** An environment with the library named before what it names itself; the library takes its own name out again. */
export function withLibrary(
  env: Readonly<Record<string, string>>,
  library: string,
): Record<string, string> {
  const others = env[PRELOAD];
  return { ...env, [PRELOAD]: others === undefined ? library : `${library}:${others}` };
}
