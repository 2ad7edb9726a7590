import type { Member } from '../member/contract.js';
import { isUnlisted, type Standing } from './standing.js';

/** A silent member is believed dead in a frozen ring only if somebody else answered within this time of it. */
const witnessMs = 5_000;
/** Somebody who has just answered bears witness for whoever is asked now. */
const justNowMs = 1_000;
const maxAsked = 3;

/** That this process can reach anybody: where nobody answers, it may be the one that is cut off. */
export class Witnesses {
  #answeredAt = Number.NEGATIVE_INFINITY;
  #next: number;

  /** @param random 0–1, so that not all processes ask the same ones. */
  constructor(random: () => number) {
    this.#next = Math.floor(random() * 65_536);
  }

  answered(now: number): void {
    this.#answeredAt = now;
  }

  /** Whether silence at that time was the member's own. */
  confirm(silentAt: number): boolean {
    return Math.abs(this.#answeredAt - silentAt) <= witnessMs;
  }

  /** Who is to be asked beside members that are asked now. */
  toAsk(standings: readonly Standing[], now: number): readonly Member[] {
    if (now - this.#answeredAt < justNowMs) return [];
    const listed = standings.filter((standing) => !isUnlisted(standing));
    // when nobody is listed, those bear witness who answered last
    const known = listed.length > 0 ? listed : standings.filter(isMissingAlive);
    const count = Math.min(maxAsked, known.length);
    return Array.from({ length: count }, () => known[this.#next++ % known.length]!.member);
  }
}

function isMissingAlive(standing: Standing): boolean {
  return standing.kind === 'missing' && standing.found?.outcome === 'alive';
}
