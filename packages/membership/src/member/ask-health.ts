import { get } from 'node:http';
import { reasonOf } from '../log/reason-of.js';
import { type HealthAnswer, parseHealthAnswer } from './health-answer.js';
import { authorityOf } from './member-fields.js';

/**
 * What answers there. `node`: a Pinwheel node. `other`: some server, but not one. `refused`: nobody listens.
 * `silent`: no answer in time. `unasked`: this process could not ask, as without a free descriptor or port.
 */
export type HealthFinding =
  | { readonly kind: 'node'; readonly answer: HealthAnswer }
  | { readonly kind: 'other' | 'refused' | 'silent' | 'unasked'; readonly reason: string };

const maxAnswerLength = 16_384;

/**
 * One call of `GET /healthz`, on a connection of its own, so that it says something about the path too. Every process
 * asks every member of a list about once a second: a client with a pool costs twice as much for one call.
 *
 * @param nonce for what the node is to prove that it has a key of the service.
 */
export function askHealth(
  address: string,
  port: number,
  timeoutMs: number,
  nonce?: string,
): Promise<HealthFinding> {
  const path = `/healthz${nonce === undefined ? '' : `?nonce=${nonce}`}`;
  // without the nonce: the same reason as before is no news
  const url = `http://${authorityOf(address, port)}/healthz`;
  return new Promise<HealthFinding>((resolve, reject) => {
    const request = get({ host: address, port, path, agent: false });
    const end = (finding: HealthFinding): void => {
      clearTimeout(timer);
      resolve(finding);
      request.destroy();
    };
    const failed = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const timer = setTimeout(
      () => end({ kind: 'silent', reason: `${url}: no answer within ${timeoutMs} ms` }),
      timeoutMs,
    );
    request.on('error', failed);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', failed);
      response.on('data', (part: string) => {
        text += part;
        if (text.length > maxAnswerLength) {
          end({ kind: 'other', reason: `${url} answers with more than ${maxAnswerLength} characters` });
        }
      });
      response.on('end', () => end(findingOf(url, response.statusCode, text)));
    });
  }).catch((error: Error) => ({ kind: kindOf(error), reason: `${url}: ${reasonOf(error)}` }));
}

function findingOf(url: string, status: number | undefined, text: string): HealthFinding {
  const answer = status === 200 ? parseHealthAnswer(text) : undefined;
  if (answer !== undefined) return { kind: 'node', answer };
  return { kind: 'other', reason: `${url} answers ${status}, not as a Pinwheel node` };
}

const refusals = ['ECONNREFUSED'];
/** A reset may be that of a full queue, or of something in between: who resets is asked again, as who is silent. */
const silences = [
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
];

/** What an error says about who was asked: one that did not leave this machine says nothing. */
export function kindOf(error: Error): 'other' | 'refused' | 'silent' | 'unasked' {
  const { code = '' } = error as { code?: string };
  if (refusals.includes(code)) return 'refused';
  if (silences.includes(code)) return 'silent';
  // an answer that is no HTTP
  return code.startsWith('HPE_') ? 'other' : 'unasked';
}
