import type { Key, KeyRing } from '@pinwheel/trust';
import type { Member, MembersView } from '../member/contract.js';
import { backoffMs } from '../time/backoff.js';
import type { Clock } from '../time/clock.js';

/** Asks a member to prove that it has a key of the service; the key by which it has, or why it has not. Never rejects. */
export type AskProof = (member: Member) => Promise<Key | string>;

export interface ProvenMembersOptions {
  readonly ask: AskProof;
  readonly clock: Clock;
  readonly random?: () => number;
  /** Called later, when `split` says something else than before. */
  readonly changed: () => void;
}

/** What is known of a member that has to prove itself. */
interface Unproven {
  readonly tries: number;
  readonly reason: string;
  /** It has proven itself by a key that is gone, and is in until it has failed to do so again. */
  readonly isIn: boolean;
}

type Standing =
  | (Unproven & { readonly kind: 'queued' | 'asking' })
  | { readonly kind: 'proven'; readonly key: Key }
  | (Unproven & { readonly kind: 'waiting'; readonly cancel: () => void });

/** Questions at the same time. */
const maxParallel = 64;
const retry = { firstMs: 1000, longestMs: 30_000 } as const;
/** Nothing is told of members before all new ones were asked, but for so long at most. */
const holdMs = 1000;
/** What becomes of members that are asked again is told together. */
const gatherMs = 100;
/** Who has proven itself by a key that is gone may be busy, or be about to learn of the next one: for a few seconds. */
const triesInside = 3;
const notAsked = 'it has not proven yet that it has a key of this service';

/**
 * Lets in the members that have proven that they have a key. One that has stays in for its incarnation and its
 * place, until its key is gone; one that has not is asked again, ever more rarely, and disturbs nobody else.
 */
export class ProvenMembers {
  readonly #options: ProvenMembersOptions;
  #standings = new Map<string, Standing>();
  #members = new Map<string, Member>();
  #queue: string[] = [];
  #asking = 0;
  /** Members that were never answered for. */
  #new = 0;
  #hold: (() => void) | undefined;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: ProvenMembersOptions) {
    this.#options = options;
  }

  /** Whether answers are awaited, so that it is better to wait for `changed`. */
  get isHeld(): boolean {
    return this.#hold !== undefined;
  }

  /** Resolves when no answers are awaited, a second later at most. */
  released(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isHeld) this.#waiting.push(resolve);
      else resolve();
    });
  }

  /** The newest list: who is new is asked, who has gone is forgotten. */
  follow(members: readonly Member[]): void {
    const before = this.#standings;
    this.#standings = new Map();
    this.#members = new Map();
    for (const member of members) {
      const key = keyOf(member);
      this.#members.set(key, member);
      const known = before.get(key);
      before.delete(key);
      this.#standings.set(key, known ?? { kind: 'queued', tries: 0, reason: notAsked, isIn: false });
      if (known === undefined) this.#queue.push(key);
    }
    for (const standing of before.values()) if (standing.kind === 'waiting') standing.cancel();
    this.#queue = this.#queue.filter((key) => this.#standings.has(key));
    this.#new = [...this.#standings.values()].filter((one) => one.kind !== 'proven' && isNew(one)).length;
    if (this.#new > 0) this.#holdFor(holdMs);
    this.#run();
  }

  /** The keys are others now: whoever came in by one that is gone is asked again. */
  keysChanged(keys: KeyRing): void {
    for (const [key, standing] of this.#standings) {
      if (standing.kind !== 'proven' || keys.has(standing.key)) continue;
      this.#standings.set(key, { kind: 'queued', tries: 0, reason: notAsked, isIn: true });
      this.#queue.push(key);
    }
    this.#run();
  }

  /** Who may be in the ring, and who not, with the reason. */
  split(members: readonly Member[]): {
    readonly members: readonly Member[];
    readonly ignored: MembersView['ignored'];
  } {
    const ignored: MembersView['ignored'][number][] = [];
    const proven = members.filter((member) => {
      const standing = this.#standings.get(keyOf(member));
      if (standing?.kind === 'proven' || standing?.isIn === true) return true;
      ignored.push({ id: member.id, reason: standing?.reason ?? notAsked });
      return false;
    });
    return { members: proven, ignored };
  }

  /** Asks nobody any more. May be called twice. */
  close(): void {
    this.#closed = true;
    this.follow([]);
    for (const resolve of this.#endHold()) resolve();
  }

  #run(): void {
    while (this.#asking < maxParallel && this.#queue.length > 0) void this.#ask(this.#queue.shift()!);
  }

  async #ask(key: string): Promise<void> {
    const member = this.#members.get(key);
    const standing = this.#standings.get(key);
    if (member === undefined || standing?.kind !== 'queued') return;
    this.#standings.set(key, { ...standing, kind: 'asking' });
    this.#asking++;
    const answer = await this.#options.ask(member);
    this.#asking--;
    if (this.#closed) return;
    // it may have gone meanwhile, or gone and come back
    if (this.#standings.get(key)?.kind === 'asking') this.#answered(key, answer, standing);
    this.#run();
  }

  #answered(key: string, answer: Key | string, before: Unproven): void {
    const tries = before.tries + 1;
    const after: Standing =
      typeof answer === 'string'
        ? this.#later(key, { tries, reason: answer, isIn: before.isIn && tries < triesInside })
        : { kind: 'proven', key: answer };
    this.#standings.set(key, after);
    const wasNew = isNew(before);
    if (wasNew) this.#new--;
    if (this.#new > 0) this.#holdFor(holdMs);
    else if (wasNew) this.#release();
    // many may be asked again for a long time: nobody is told that nothing has changed, nor of each by itself
    else if (outsideBecause(after) !== outsideBecause(before)) this.#holdFor(gatherMs);
  }

  #holdFor(delayMs: number): void {
    this.#hold ??= this.#options.clock.after(delayMs, () => this.#release());
  }

  #later(key: string, unproven: Unproven): Standing {
    const { clock, random } = this.#options;
    const cancel = clock.after(backoffMs(unproven.tries, retry, random), () => {
      this.#standings.set(key, { kind: 'queued', ...unproven });
      this.#queue.push(key);
      this.#run();
    });
    return { kind: 'waiting', ...unproven, cancel };
  }

  /** @returns who waited for that. */
  #endHold(): readonly (() => void)[] {
    this.#hold?.();
    this.#hold = undefined;
    return this.#waiting.splice(0);
  }

  #release(): void {
    const waiting = this.#endHold();
    this.#options.changed();
    for (const resolve of waiting) resolve();
  }
}

/** It was never answered for. */
function isNew({ tries, isIn }: Unproven): boolean {
  return tries === 0 && !isIn;
}

/** `undefined` for one that is in. */
function outsideBecause(standing: Standing | Unproven): string | undefined {
  return 'reason' in standing && !standing.isIn ? standing.reason : undefined;
}

/** Another incarnation, and the same one elsewhere, has to prove itself anew. */
function keyOf({ id, incarnation = '', address, port, wsPort = 0 }: Member): string {
  return `${id} ${incarnation} ${address} ${port} ${wsPort}`;
}
