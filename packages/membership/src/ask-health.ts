import { Agent, request } from 'undici';
import { type HealthAnswer, parseHealthAnswer } from './health-answer.js';
import { authorityOf } from './member-fields.js';

/**
 * What answers there. `node`: a Pinwheel node. `other`: some server, but not one. `refused`: nobody listens.
 * `silent`: no answer in time.
 */
export type HealthFinding =
  | { readonly kind: 'node'; readonly answer: HealthAnswer }
  | { readonly kind: 'other' | 'refused' | 'silent'; readonly reason: string };

const maxAnswerBytes = 16_384;

/**
 * One call of `GET /healthz`, on a connection of its own, so that it says something about the path too.
 *
 * @param nonce for what the node is to prove that it has a key of the service.
 */
export async function askHealth(
  address: string,
  port: number,
  timeoutMs: number,
  nonce?: string,
): Promise<HealthFinding> {
  const dispatcher = new Agent({
    pipelining: 0,
    maxResponseSize: maxAnswerBytes,
    connect: { timeout: timeoutMs },
  });
  const url = `http://${authorityOf(address, port)}/healthz${nonce === undefined ? '' : `?nonce=${nonce}`}`;
  try {
    const response = await request(url, { dispatcher, signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.body.text();
    const answer = response.statusCode === 200 ? parseHealthAnswer(text) : undefined;
    if (answer !== undefined) return { kind: 'node', answer };
    return { kind: 'other', reason: `${url} answers ${response.statusCode}, not as a Pinwheel node` };
  } catch (error) {
    return {
      kind: kindOf(error),
      reason: `${url}: ${error instanceof Error ? error.message : String(error)}`,
    };
  } finally {
    dispatcher.destroy().catch(() => {});
  }
}

function kindOf(error: unknown): 'other' | 'refused' | 'silent' {
  const { name = '', code = '' } = error as { name?: string; code?: string };
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'refused';
  const isSilent = name === 'TimeoutError' || name === 'AbortError' || code.startsWith('UND_ERR_CONNECT');
  if (isSilent || ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND'].includes(code))
    return 'silent';
  return 'other';
}
