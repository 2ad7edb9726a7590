import { Buffer } from 'node:buffer';
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { headers } from '@pinwheel/protocol';
import type { Key } from './key-ring.js';

/** What a proof is bound to, beside its time and its number. */
export interface ProvenCall {
  /** In capitals. */
  readonly method: string;
  /** With the query, as it stands on the wire. */
  readonly target: string;
  /** Id of the member that is called: a proof for one node is none for another. */
  readonly to: string;
  /** See {@link boundHeaders}. */
  readonly headers: string;
}

/** A proof as it travels: `v1.key.time.process.number.body.mac`. */
export interface Proof {
  readonly keyId: string;
  /** When it was made, in ms since 1970. */
  readonly time: number;
  /** Who made it: random at its start. */
  readonly process: string;
  /** Rises with every proof of that process. */
  readonly number: number;
  /** SHA-256 of the body, in base64url. */
  readonly bodyDigest: string;
  readonly mac: string;
}

/** Headers that change what a call means. */
const meaningful = [
  'content-type',
  headers.messageId,
  headers.wait,
  headers.hops,
  headers.noForward,
  headers.deadlineMs,
  headers.user,
] as const;

const pattern =
  /^v1\.([A-Za-z0-9_-]{1,64})\.(\d{1,15})\.([A-Za-z0-9_-]{16})\.(\d{1,15})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

export const emptyDigest = digestOf('');

/** @param get a header's value; empty or `undefined` when it is missing. */
export function boundHeaders(get: (name: string) => string | undefined): string {
  let bound = '';
  for (const name of meaningful) bound += `${get(name) ?? ''}\n`;
  return bound;
}

export function digestOf(body: string | Uint8Array): string {
  return hash('sha256', body, 'base64url');
}

export function macOf(key: Key, call: ProvenCall, proof: Omit<Proof, 'mac'>): Buffer {
  const { time, process, number, bodyDigest } = proof;
  const { method, target, to, headers: bound } = call;
  return createHmac('sha256', key.secret)
    .update(
      `pinwheel-proof v1\n${method}\n${target}\n${to}\n${key.id}\n${time}\n${process}\n${number}\n${bodyDigest}\n${bound}`,
    )
    .digest();
}

/** Whether that is the MAC, in base64url; takes as long for a wrong one. */
export function isMac(expected: Buffer, given: string): boolean {
  const mac = Buffer.from(given, 'base64url');
  return mac.length === expected.length && timingSafeEqual(mac, expected);
}

export function formatProof({ keyId, time, process, number, bodyDigest, mac }: Proof): string {
  return `v1.${keyId}.${time}.${process}.${number}.${bodyDigest}.${mac}`;
}

/** `undefined` for what is no proof. */
export function parseProof(text: string): Proof | undefined {
  const [, keyId, time, process, number, bodyDigest, mac] = pattern.exec(text) ?? [];
  if (mac === undefined) return undefined;
  return {
    keyId: keyId!,
    time: Number(time),
    process: process!,
    number: Number(number),
    bodyDigest: bodyDigest!,
    mac,
  };
}
