import type { HttpRequest } from './uws.js';

/** What a request says, for those who read it after its handler has returned: uWebSockets.js has it no longer then. */
export class KeptRequest implements HttpRequest {
  readonly #url: string;
  readonly #query: string;
  readonly #method: string;
  readonly #lines: (readonly [name: string, value: string])[] = [];

  /** To be called before the handler first returns. */
  constructor(request: HttpRequest) {
    this.#url = request.getUrl();
    this.#query = request.getQuery() ?? '';
    this.#method = request.getMethod();
    request.forEach((name, value) => {
      this.#lines.push([name, value]);
    });
  }

  getUrl(): string {
    return this.#url;
  }

  /** Raw, without `?`. */
  getQuery(): string {
    return this.#query;
  }

  /** In lower case. */
  getMethod(): string {
    return this.#method;
  }

  /** Of its first line; empty when there is none. */
  getHeader(wanted: string): string {
    return this.#lines.find(([name]) => name === wanted)?.[1] ?? '';
  }

  forEach(see: (name: string, value: string) => void): void {
    for (const [name, value] of this.#lines) see(name, value);
  }
}
