import type { Output } from './output/output.js';
import type { Option } from './settings/option.js';
import type { Settings } from './settings/settings.js';

/** What a command is given when it runs. */
export interface Invocation {
  readonly settings: Settings;
  /** The words after the command. */
  readonly words: readonly string[];
  readonly output: Output;
}

export interface Command {
  /** `ring show`: a word a level. */
  readonly name: string;
  /** Its words, for the help: `USER DATA`, `USER…`; a trailing `…` takes several. */
  readonly words?: readonly string[];
  readonly summary: string;
  readonly options: readonly Option[];
  /** Resolves with the exit code; what it throws becomes a message and 1, or 2 for `bad-option`. */
  run(invocation: Invocation): Promise<number>;
}
