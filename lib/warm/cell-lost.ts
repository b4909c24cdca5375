import { SetupError } from '../errors';

/** A cell died before its call began: no program has seen anything of the call. */
export class CellLostError extends SetupError {}
