/** Text is not the JSON that Python's `json.dumps` writes, or it exceeds a bound of the reader. */
export class JsonSyntaxError extends SyntaxError {
  /** Where in the text reading stopped, in UTF-16 code units from 0. */
  readonly position: number;

  constructor(problem: string, position: number) {
    super(`${problem} at position ${position} of the JSON text`);
    this.position = position;
  }

  static {
    this.prototype.name = 'JsonSyntaxError';
  }
}
