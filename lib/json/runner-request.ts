/** One program for `python/runner.py`. */
export interface RunnerRequest {
  code: string;
  /** A JSON object's text, which goes in as it stands: 1.0 stays 1.0. Known to be well-formed. */
  globalsText: string;
  /** Names below the jail's directory that are appended to `sys.path`. */
  pythonPath: readonly string[];
}

/** The text that `python/runner.py` reads on descriptor 3. */
export function runnerRequest({ code, globalsText, pythonPath }: RunnerRequest): string {
  const members = [JSON.stringify(code), JSON.stringify(pythonPath), globalsText];
  return `{"code":${members[0]},"python_path":${members[1]},"globals":${members[2]}}`;
}
