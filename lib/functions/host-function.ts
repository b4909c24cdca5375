// Functions of the server's that a jailed program may call.

/** What a function of the server's is told of the call that it serves. */
export interface HostCall {
  /** The name by which the program called it. */
  readonly name: string;
  /** What logs call the run, as in the options. */
  readonly slug: string | undefined;
  /** The positional arguments, as the program gave them. */
  readonly args: readonly unknown[];
  /** The arguments that the program gave by name. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Aborted when nobody waits for the answer any more: the program has ended, the call was aborted, or `timeout` is over. */
  readonly signal: AbortSignal;
}

/**
 * A validator after Standard Schema 1 (https://standardschema.dev), which zod, valibot, arktype and others are.
 */
export interface StandardSchema<Output = unknown> {
  /** What the standard has every validator have. */
  readonly '~standard': {
    /** Of the standard. */
    readonly version: 1;
    /** Whose validator it is. */
    readonly vendor: string;
    /** Checks a value: what it makes of it, or what is wrong with it. */
    readonly validate: (
      value: unknown,
    ) => StandardResult<Output> | PromiseLike<StandardResult<Output>>;
    /** For TypeScript alone: what it takes and gives. */
    readonly types?:
      | {
          /** What it takes. */
          readonly input: unknown;
          /** What it gives. */
          readonly output: Output;
        }
      | undefined;
  };
}

/** What such a validator says of a value. */
export type StandardResult<Output> =
  | {
      /** What the validator makes of it. */
      readonly value: Output;
      /** Nothing is wrong. */
      readonly issues?: undefined;
    }
  | {
      /** All that is wrong. */
      readonly issues: readonly StandardIssue[];
    };

/** What is wrong with a value. */
export interface StandardIssue {
  /** In words, which the program is told. */
  readonly message: string;
  /** Where in the value. */
  readonly path?:
    | readonly (
        | PropertyKey
        | {
            /** A name, or an index. */
            readonly key: PropertyKey;
          }
      )[]
    | undefined;
}

/**
 * A function of the server's. It is given the positional arguments one by one, and after them, where there are any, those
 * given by name as one object; `this` is the `HostCall`. A program may call it with anything that JSON carries, and with
 * more arguments than it names: check them, or describe them with `parameters`.
 */
export type HostFunction = (this: HostCall, ...args: never[]) => unknown;

/** A function of the server's with what is to be known of it. Made by `hostFunction`. */
export interface HostFunctionOptions<Parameters = unknown> {
  /**
   * What is called, with the arguments as one value, checked where there are `parameters`: an object where `names` are
   * given or the program gave all by name, else an array.
   */
  run: (parameters: Parameters, call: HostCall) => unknown;
  /** Checks the arguments before `run` sees them; what it makes of them is what `run` is given. */
  parameters?: StandardSchema<Parameters> | undefined;
  /** The names of the arguments in order, so that a program may give them by place or by name, as in Python. */
  names?: readonly string[] | undefined;
  /** How often one program may call it, 0 to 1,000,000. Default 1000. */
  maxCalls?: number | undefined;
  /** How many seconds an answer may take, more than 0 and up to 2,000,000. Default: as long as the program may run. */
  timeout?: number | undefined;
}

/** A described function, whatever its arguments are: what `hostFunction` gives. */
export interface DescribedFunction extends Omit<HostFunctionOptions<never>, 'parameters'> {
  /** Checks the arguments before `run` sees them. */
  parameters?: StandardSchema | undefined;
}

/** Functions by the names that a program calls them by. */
export type HostFunctions = Readonly<Record<string, HostFunction | DescribedFunction>>;

/**
 * Describes a function for the option `functions`. Gives back what it is given: TypeScript then knows what `run` is given
 * from what `parameters` makes of it.
 * @example
 * import { hostFunction, safeExec } from 'codejail';
 *
 * const lookup = hostFunction({
 *   names: ['id'],
 *   maxCalls: 10,
 *   timeout: 2,
 *   run: async ({ id }, { signal }) => `row ${id}`,
 * });
 * const globals = {};
 * await safeExec('row = lookup(id=3)', globals, { functions: { lookup } });
 * console.log(globals.row); // row 3
 */
export function hostFunction<Parameters>(
  options: HostFunctionOptions<Parameters>,
): HostFunctionOptions<Parameters> {
  return options;
}
