import { PinwheelError } from '@pinwheel/protocol';
import { refusal } from '../http/refusal.js';
import type { Admission } from './admission.js';
import type { AdmissionRequest } from './admission-request.js';

/** Values of `sec-fetch-site` (W3C Fetch Metadata) by which another origin's page is behind a request. */
const otherSites: ReadonlySet<string> = new Set(['cross-site', 'same-site']);

/** Origins whose pages may connect; compared as they are, character by character. */
export class OriginList {
  readonly #allowed: ReadonlySet<string>;

  /** @throws PinwheelError `bad-option` for what no browser would send: `https://chat.example` has neither path nor `/`. */
  constructor(origins: readonly string[]) {
    const wrong = origins.find((origin) => !isOrigin(origin));
    if (wrong !== undefined) {
      throw new PinwheelError(
        'bad-option',
        `allowOrigin is ${JSON.stringify(wrong)}; it must be scheme://host[:port] in lower case, without a path, as a browser sends it`,
      );
    }
    this.#allowed = new Set(origins);
  }

  /**
   * Why a page may not connect; `undefined` when it may. A request without an origin is no page's, unless the browser says
   * so (pictures, scripts and links of other pages have none): whoever can leave it away can also write any.
   */
  refuse({ headers }: AdmissionRequest): Admission | undefined {
    const origins = headers.get('origin');
    if (origins === undefined) {
      const site = headers.get('sec-fetch-site')?.find((one) => otherSites.has(one));
      return site === undefined ? undefined : refused(`what comes ${site} without an origin`);
    }
    const [origin] = origins;
    if (origins.length === 1 && this.#allowed.has(origin!)) return undefined;
    return refused(`origin ${JSON.stringify(origins.join(', ').slice(0, 80))}`);
  }
}

function refused(what: string): Admission {
  return { refused: refusal(403, 'not-allowed', `${what} is not allowed here`), outcome: 'bad-origin' };
}

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/.test(text) || !URL.canParse(text)) return false;
  const { origin, host, protocol } = new URL(text);
  // of a scheme that is not of the web (an app's) URL knows no origin
  return origin === 'null' ? text === `${protocol}//${host}` : origin === text;
}
