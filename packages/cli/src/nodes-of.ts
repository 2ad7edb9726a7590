import type { RingState } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { originOf } from '@pinwheel/sender';
import { type Signer, withProof } from '@pinwheel/trust';
import { request } from 'undici';

/** A process that answers questions over HTTP: a node, or the admin port of an edge. */
export interface AdminTarget {
  readonly id: string;
  get(path: string): Promise<unknown>;
  post(path: string, body?: object): Promise<unknown>;
}

const timeoutMs = 3000;

/** Every Pinwheel node that membership knows, draining ones too. */
export function nodesOf(state: RingState, signer: Signer | undefined): readonly AdminTarget[] {
  return [...state.members.values()]
    .filter((member) => member.kind === 'node')
    .map((member) => adminTarget(member.id, originOf(member), signer));
}

/** Both calls reject with what the target said, or that it cannot be reached. */
export function adminTarget(id: string, origin: string, signer?: Signer): AdminTarget {
  const named = id === origin ? origin : `${id} (${origin})`;
  const call = async (method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const url = new URL(path, origin);
    const call = { method, target: `${url.pathname}${url.search}`, to: id };
    const answer = await request(url, {
      method,
      body: text ?? null,
      headers: withProof(signer, call, { 'content-type': 'application/json' }, text),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((cause: Error) => {
      throw new PinwheelError('unreachable', `${named} cannot be reached: ${cause.message}`, {
        cause,
      });
    });
    const said = (await answer.body.json()) as { error?: { message: string } };
    if (answer.statusCode < 300) return said;
    throw new PinwheelError(
      'unavailable',
      `${named} answered ${answer.statusCode}: ${said.error?.message ?? ''}`,
    );
  };
  return { id, get: (path) => call('GET', path), post: (path, body) => call('POST', path, body) };
}
