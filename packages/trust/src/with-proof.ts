import { headers as names } from '@pinwheel/protocol';
import { boundHeaders, type ProvenCall } from './proof.js';
import type { Signer } from './signer.js';

/** The headers of a call, with a proof beside them when there is somebody to sign it. */
export function withProof<Headers extends Readonly<Record<string, unknown>>>(
  signer: Signer | undefined,
  call: Omit<ProvenCall, 'headers'>,
  headers: Headers,
  body?: string | Uint8Array,
): Headers {
  if (signer === undefined) return headers;
  const bound = boundHeaders((name) => headers[name] as string | undefined);
  return { ...headers, [names.proof]: signer.sign({ ...call, headers: bound }, body) };
}
