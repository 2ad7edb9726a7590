import { PinwheelError } from '@pinwheel/protocol';
import { type KeySource, type ProvenCall, Signer, withProof } from '@pinwheel/trust';
import { keysOf } from '../settings/keys-of.js';
import type { Option } from '../settings/option.js';
import { options } from '../settings/options.js';
import type { Settings } from '../settings/settings.js';

/** How a command says who it is to nodes and edges: by the keys of the service, by an API key, or not at all. */
export class Credentials {
  readonly keys: KeySource | undefined;
  /** Never to be printed, nor put into an error. */
  readonly #apiKey: string | undefined;
  readonly #signer: Signer | undefined;

  private constructor(keys: KeySource | undefined, apiKey: string | undefined) {
    this.keys = keys;
    this.#apiKey = apiKey;
    this.#signer = keys === undefined ? undefined : new Signer(keys);
  }

  /** @throws PinwheelError `bad-option` for both kinds at once, and for a file that cannot be used. */
  static of(settings: Settings): Credentials {
    const useKeys = isPreferred(settings, options.keys, options.apiKey);
    const useApiKey = isPreferred(settings, options.apiKey, options.keys);
    const apiKey = useApiKey ? settings.text(options.apiKey) : undefined;
    if (apiKey !== undefined && useKeys && settings.text(options.keys) !== undefined) {
      throw new PinwheelError('bad-option', 'keys and api-key are both given; give one of them');
    }
    if (apiKey !== undefined && !/^[\x21-\x7e]{1,200}$/.test(apiKey)) {
      throw new PinwheelError('bad-option', 'api-key must be pwk_<id>_<secret>, without spaces');
    }
    const file = useKeys ? keysOf(settings) : undefined;
    // a command is over before they change
    file?.close();
    return new Credentials(file, apiKey);
  }

  get isApiKey(): boolean {
    return this.#apiKey !== undefined;
  }

  /** Whether the id of who is called must be known. */
  get needsId(): boolean {
    return this.#signer !== undefined;
  }

  /** The headers of a call, with what says who makes it. */
  headers(
    call: Omit<ProvenCall, 'headers'>,
    named: Readonly<Record<string, string>>,
    body?: string,
  ): Readonly<Record<string, string>> {
    if (this.#apiKey !== undefined) return { ...named, authorization: `Bearer ${this.#apiKey}` };
    return withProof(this.#signer, call, named, body);
  }
}

/** Whoever sets one for all commands, in the environment, may give the other one to a single command. */
function isPreferred(settings: Settings, option: Option, other: Option): boolean {
  return settings.isOnCommandLine(option) || !settings.isOnCommandLine(other);
}
