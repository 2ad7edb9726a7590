import { performance } from 'node:perf_hooks';
import { PinwheelError } from '@pinwheel/protocol';
import type { Key } from './key-ring.js';
import type { KeySource } from './key-source.js';
import { digestOf, emptyDigest, isMac, macOf, type ProvenCall, parseProof } from './proof.js';
import { ReplayWindow } from './replay-window.js';

/** A proof is good for so long before and after its time, in ms: clocks differ, and calls take time. */
export const proofWindowMs = 30_000;

/** Less than this two clocks of one machine differ without having been set, in ms. */
const leastStepMs = 1000;

/** Checks the proofs of calls to one member. Each is good once. */
export class Verifier {
  readonly #keys: KeySource;
  readonly #now: () => number;
  readonly #window: ReplayWindow;
  readonly #since: number;
  readonly #uptime: () => number;
  readonly #madeAt: number;

  /**
   * @param now ms since 1970.
   * @param since proofs made before it are refused: which of them were used, this process cannot know. Default: now.
   * @param uptime ms since any fixed moment, which no setting of the clock changes.
   */
  constructor(
    keys: KeySource,
    now: () => number = Date.now,
    since = now(),
    window = new ReplayWindow(),
    uptime: () => number = () => performance.now(),
  ) {
    this.#keys = keys;
    this.#now = now;
    this.#since = since;
    this.#uptime = uptime;
    this.#madeAt = uptime();
    this.#window = window;
  }

  /**
   * Uses up the proof of a call.
   *
   * @param given the header as it came; empty or `undefined` when it is missing.
   * @returns the digest that the body must have; see {@link checkBody}.
   * @throws PinwheelError `not-authenticated`, or `overloaded` when it cannot be remembered.
   */
  verify(call: ProvenCall, given: string | undefined): string {
    if (given === undefined || given === '')
      throw refused('the proof is missing; is this process given --keys?');
    const proof = parseProof(given);
    if (proof === undefined) throw refused('the proof is malformed');
    const key = this.#keys.current.get(proof.keyId);
    if (key === undefined) throw refused(`the proof is made with key ${proof.keyId}, which is unknown here`);
    if (!isMac(macOf(key, call, proof), proof.mac)) throw refused('the proof is not one of this call');
    const now = this.#now();
    const offMs = Math.round(now - proof.time);
    if (Math.abs(offMs) > proofWindowMs) {
      throw refused(
        `the proof is ${offMs} ms old; it must be within ${proofWindowMs}: do the clocks of both machines agree?`,
      );
    }
    const since = this.#sinceBy(now);
    if (proof.time < since) {
      const earlyMs = Math.round(since - proof.time);
      throw refused(`the proof was made ${earlyMs} ms before this process started; make a new one`);
    }
    const freshness = this.#window.use(proof.process, proof.number, proof.time + proofWindowMs, now);
    switch (freshness) {
      case 'fresh':
        return proof.bodyDigest;
      case 'seen':
        throw refused('the proof was used before');
      case 'full':
        throw new PinwheelError('overloaded', 'more processes have called than can be remembered');
      default:
        throw new TypeError(`unknown freshness ${freshness satisfies never}`);
    }
  }

  /** The key that a proof names, which is good when the proof is. */
  keyOf(proof: string): Key | undefined {
    return this.#keys.current.get(parseProof(proof)?.keyId ?? '');
  }

  /** The start by the clock as it is now: it may have been ahead then, and have been set right since. */
  #sinceBy(now: number): number {
    const since = now - (this.#uptime() - this.#madeAt);
    return this.#since - since > leastStepMs ? since : this.#since;
  }
}

/** @throws PinwheelError `not-authenticated` for another body than the proof was made for. */
export function checkBody(digest: string, body: Uint8Array): void {
  if (digest !== (body.length === 0 ? emptyDigest : digestOf(body))) {
    throw refused('the proof is of another body');
  }
}

function refused(why: string): PinwheelError {
  return new PinwheelError('not-authenticated', why);
}
