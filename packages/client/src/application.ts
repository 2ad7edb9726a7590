import type { ClientSettings, IncomingMessage } from './client-options.js';
import type { ClientStatus } from './client-status.js';
import { checkedToken } from './token.js';

/** The application's callbacks. What they throw is reported, and the connection goes on. */
export class Application {
  readonly #settings: ClientSettings;
  readonly #report: (thrown: unknown) => void;

  constructor(settings: ClientSettings, report: (thrown: unknown) => void = reportThrown) {
    this.#settings = settings;
    this.#report = report;
  }

  message(message: IncomingMessage): void {
    this.#call(this.#settings.onMessage, message);
  }

  reply(data: string | Uint8Array): void {
    this.#call(this.#settings.onReply, data);
  }

  status(status: ClientStatus): void {
    this.#call(this.#settings.onStatus, status);
  }

  /**
   * Asks for the token. Unless the function gives a promise, `use` or `failed` is called within this call.
   *
   * @param use must not throw.
   */
  token(use: (token: string | undefined) => void, failed: (thrown: unknown) => void): void {
    const { token } = this.#settings;
    if (typeof token !== 'function') {
      use(token);
      return;
    }
    let given: unknown;
    try {
      given = token();
      if (!isThenable(given)) given = checkedToken(given);
    } catch (thrown) {
      failed(thrown);
      return;
    }
    if (isThenable(given)) given.then(checkedToken).then(use, failed);
    else use(given as string);
  }

  /** Asks for a newer token; one that is not a function's has no successor. */
  renewedToken(use: (token: string) => void): void {
    if (typeof this.#settings.token !== 'function') return;
    this.token((token) => use(token!), this.#report);
  }

  /** One that gives a promise is not waited for. */
  #call<T>(callback: (value: T) => unknown, value: T): void {
    try {
      const given = callback(value);
      if (isThenable(given)) given.then(undefined, this.#report);
    } catch (thrown) {
      this.#report(thrown);
    }
  }
}

function isThenable<T>(given: unknown): given is PromiseLike<T> {
  return typeof (given as Partial<PromiseLike<T>> | null | undefined)?.then === 'function';
}

/** In a browser to `window.onerror`, as from an event listener; elsewhere to the console. */
function reportThrown(thrown: unknown): void {
  const { reportError } = globalThis as { readonly reportError?: (thrown: unknown) => void };
  if (reportError === undefined) console.error('a callback given to @pinwheel/client has thrown:', thrown);
  else reportError(thrown);
}
