import type { InProcessMembership, Membership, MembershipListener, MembersView } from '@pinwheel/membership';

/** A membership whose news can be held back: whoever watches through it lives in the past. */
export class HeldMembership implements Membership {
  readonly description = 'held membership';
  readonly #source: InProcessMembership;
  readonly #waiting = new Map<MembershipListener, MembersView>();
  #held = false;

  constructor(source: InProcessMembership) {
    this.#source = source;
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (const [listener, view] of this.#waiting) listener.view(view);
    this.#waiting.clear();
  }

  watch(listener: MembershipListener): () => void {
    return this.#source.watch({
      ...listener,
      trouble: (error) => listener.trouble(error),
      fresh: () => listener.fresh(),
      view: (view) => {
        if (this.#held) this.#waiting.set(listener, view);
        else listener.view(view);
      },
    });
  }

  refresh(): Promise<void> {
    return this.#source.refresh();
  }

  register(...self: Parameters<Membership['register']>): ReturnType<Membership['register']> {
    return this.#source.register(...self);
  }

  async close(): Promise<void> {}
}
