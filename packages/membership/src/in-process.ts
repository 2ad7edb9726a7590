import { PinwheelError } from '@pinwheel/protocol';
import type { Member, Membership, MembershipListener, Registered, Registration } from './member/contract.js';
import { viewOf } from './member/digest.js';
import { checkRegistration, memberOf } from './member/registration.js';
import { told, Watchers } from './member/watchers.js';

/** A member as a test or an embedding program enters it; what is left out gets the default. */
export type InProcessMember = Pick<Member, 'id' | 'port'> & Partial<Member>;

/** One list that every node, edge and sender of this process shares. */
export interface InProcessMembership extends Membership {
  members(): readonly Member[];
  /** Enters a member or replaces it. Defaults: address 127.0.0.1, weight 1, not draining, kind `node`. */
  set(member: InProcessMember): void;
  /** Takes a member out without a word, as if it had died. */
  remove(id: string): void;
}

/**
 * Membership without any service: for a whole ring in one process, and for tests. Hand the same object to every
 * part; each watches and registers for itself.
 */
export function inProcessMembership(): InProcessMembership {
  return new InProcess();
}

const freshenMs = 1_000;

class InProcess implements InProcessMembership {
  readonly description = 'in-process membership';
  readonly #members = new Map<string, Member>();
  readonly #watchers = new Watchers();
  #freshen: NodeJS.Timeout | undefined;
  #index = 0;
  #closed = false;

  constructor() {
    this.#watchers.publish(viewOf([], '0'));
  }

  members(): readonly Member[] {
    return this.#watchers.newest?.members ?? [];
  }

  set(member: InProcessMember): void {
    this.#members.set(member.id, {
      address: '127.0.0.1',
      weight: 1,
      draining: false,
      kind: 'node',
      ...member,
    });
    this.#changed();
  }

  remove(id: string): void {
    if (this.#members.delete(id)) this.#changed();
  }

  watch(listener: MembershipListener): () => void {
    if (this.#closed) return () => {};
    const remove = this.#watchers.add(listener);
    // the list is always as it is: nobody may think that it has become stale
    this.#freshen ??= setInterval(() => this.#watchers.fresh(), freshenMs).unref();
    return () => {
      remove();
      if (this.#watchers.size === 0) this.#stop();
    };
  }

  async refresh(): Promise<void> {
    this.#watchers.fresh();
    await told();
  }

  async register(self: Registration): Promise<Registered> {
    if (this.#closed) throw new PinwheelError('closed', `${this.description} is closed`);
    checkRegistration(self);
    this.set(memberOf(self, false));
    // a node that came back under this id has replaced the entry: it is not ours any more
    const isOurs = (): boolean => this.#members.get(self.id)?.incarnation === self.incarnation;
    return {
      drain: async () => {
        if (isOurs()) this.set(memberOf(self, true));
      },
      leave: async () => {
        if (isOurs()) this.remove(self.id);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#freshen);
    this.#freshen = undefined;
  }

  #changed(): void {
    if (this.#closed) return;
    this.#watchers.publish(viewOf(this.#members.values(), String(++this.#index)));
  }
}
