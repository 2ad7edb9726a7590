import { headers as names } from '@pinwheel/protocol';
import { boundHeaders, type ProvenCall, type Signer } from '@pinwheel/trust';

/** The headers of a call to a node, with a proof when there is somebody to sign it. */
export function proven(
  signer: Signer | undefined,
  call: Omit<ProvenCall, 'headers'>,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Record<string, string> {
  if (signer === undefined) return { ...headers };
  const bound = boundHeaders((name) => headers[name]);
  return { ...headers, [names.proof]: signer.sign({ ...call, headers: bound }, body) };
}
