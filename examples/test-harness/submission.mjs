// A submission that tests call: loaded once, each call in a branch of its own. For any test runner.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createJail } from 'codejail';

const CALL = { cpu: 2, realtime: 60 };

/** What a submission did wrong, with the place in it. */
export class SubmissionError extends Error {
  name = 'SubmissionError';
}

function placeOf(exception, name, source) {
  const frames = [...exception.traceback.matchAll(/File "([^"]*)", line (\d+)/g)];
  const own = frames.filter(([, file]) => file === name || file.endsWith(`/${name}`)).at(-1);
  if (own === undefined) return '';
  const line = Number(own[2]);
  return `\n    at ${name}:${line}\n    ${line} | ${source.split('\n')[line - 1] ?? ''}`;
}

/** A submission, ready to be called. */
export class Submission {
  #jail;
  #session;
  #name;
  #source;

  /**
   * Loads one.
   * @param {string} path of a Python file
   * @throws SubmissionError where it can't be loaded
   */
  static async load(path) {
    const submission = new Submission();
    try {
      await submission.#load(path);
      return submission;
    } catch (error) {
      await submission.close();
      throw error;
    }
  }

  async #load(path) {
    this.#name = basename(path);
    this.#source = readFileSync(path, 'utf8');
    this.#jail = createJail();
    this.#session = await this.#jail.openSession({
      extraFiles: [[this.#name, this.#source]],
      limits: { memory: 512 * 1024 * 1024, nproc: 32, cpu: 10, realtime: 60 },
    });
    const module = this.#name.replace(/\.py$/, '');
    this.#resultOf(await this.#session.run(`import ${module} as submission`), 'loading it');
  }

  /**
   * Calls a function of it, in a branch that is thrown away: no test sees what another one did.
   * @returns what the function returned
   * @throws SubmissionError with the submission's line
   */
  async call(name, ...given) {
    const result = await this.#session.run(`answer = getattr(submission, name)(*given)`, {
      ...{ globals: { name, given }, get: ['answer'], keep: 'never', limits: CALL },
    });
    return this.#resultOf(result, `${name}(${given.map((arg) => JSON.stringify(arg)).join(', ')})`);
  }

  #resultOf({ outcome, status, exception, hints, globals, omitted }, what) {
    if (exception !== null) {
      const place = placeOf(exception, this.#name, this.#source);
      throw new SubmissionError(`${what}: ${exception.type}: ${exception.message}${place}`);
    }
    if (outcome !== 'exited' || status !== 0) {
      const why = hints.map(({ message }) => message).join('; ');
      throw new SubmissionError(`${what}: ${outcome}, status ${status}${why && `: ${why}`}`);
    }
    if (omitted.length > 0) {
      throw new SubmissionError(`${what} returned what JSON can't carry: ${omitted[0].type}`);
    }
    return globals.answer;
  }

  async close() {
    await this.#session?.close();
    await this.#jail?.close();
  }
}
