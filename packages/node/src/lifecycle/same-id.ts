import { askHealth, type Member, type RingTracker, systemClock } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';

export interface SameIdOptions {
  readonly id: string;
  readonly incarnation: string;
  readonly tracker: RingTracker;
}

const askTimeoutMs = 1000;
const askAgainMs = 1000;
/** One that drains may be about to end. */
const drainingMs = 5000;
/** What was there before the own entry is seen for a moment after it has gone in, but not for so long. */
const ownEntryMs = 5000;

interface Other {
  readonly where: string;
  readonly isDraining: boolean;
}

/** Looks for another process under this node's id. What a list says of it is stale at times, so it is asked itself. */
export class SameId {
  readonly #options: SameIdOptions;
  #watching: 'not' | 'until own is seen' | 'idle' | 'asking' = 'not';
  #timer: NodeJS.Timeout | undefined;
  /** An entry without our incarnation, as a file's are, at which we have answered ourselves. */
  #own: Member | undefined;
  #replaced: (where: string) => void = () => {};
  #unsubscribe = (): void => {};

  constructor(options: SameIdOptions) {
    this.#options = options;
  }

  /**
   * Waits a moment for one that drains: with its id in the ring again, the users whom it has yet to send on would be its
   * own.
   *
   * @throws PinwheelError (rejects) `membership` when another process runs under this id.
   */
  async refuseSecond(): Promise<void> {
    const last = systemClock.now() + drainingMs;
    let other = await this.#other();
    while (other?.isDraining === true && systemClock.now() < last) {
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
      other = await this.#other();
    }
    if (other === undefined) return;
    const { where, isDraining } = other;
    const what = isDraining
      ? `${where}, which drains; start again when it has ended`
      : `${where}; stop that node`;
    throw new PinwheelError('membership', `id ${this.#options.id} is in use by ${what} or choose another id`);
  }

  /** @param replaced called once, with the address, when another process has entered itself under this id. */
  watch(replaced: (where: string) => void): void {
    this.#replaced = replaced;
    this.#watching = 'until own is seen';
    this.#unsubscribe = this.#options.tracker.subscribe(() => this.#look());
    this.#timer = setTimeout(() => this.#begin(), ownEntryMs).unref();
    this.#look();
  }

  stop(): void {
    this.#watching = 'not';
    this.#unsubscribe();
    clearTimeout(this.#timer);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    if (this.#watching === 'until own is seen') this.#watching = 'idle';
    this.#look();
  }

  #look(): void {
    const { id, incarnation, tracker } = this.#options;
    const isOwnSeen = tracker.current.members.get(id)?.incarnation === incarnation;
    if (this.#watching === 'until own is seen' && isOwnSeen) {
      this.#begin();
      return;
    }
    if (this.#watching !== 'idle' || this.#entryOfAnother() === undefined) return;
    this.#watching = 'asking';
    void this.#ask();
  }

  async #ask(): Promise<void> {
    while (this.#watching === 'asking' && this.#entryOfAnother() !== undefined) {
      const other = await this.#other();
      if (this.#watching !== 'asking') return;
      if (other?.isDraining === false) {
        this.stop();
        this.#replaced(other.where);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, askAgainMs).unref());
    }
    if (this.#watching === 'asking') this.#watching = 'idle';
  }

  #entryOfAnother(): Member | undefined {
    const { id, incarnation, tracker } = this.#options;
    const member = tracker.current.members.get(id);
    if (member === undefined || member.incarnation === incarnation) return undefined;
    const { address, port } = member;
    const isOwn =
      this.#own?.incarnation === member.incarnation &&
      this.#own?.address === address &&
      this.#own.port === port;
    return isOwn ? undefined : member;
  }

  /** The process that answers where the entry says, when it is not this one. */
  async #other(): Promise<Other | undefined> {
    const { id, incarnation } = this.#options;
    const member = this.#entryOfAnother();
    if (member?.kind !== 'node') return undefined;
    const { address, port } = member;
    const finding = await askHealth(address, port, askTimeoutMs);
    if (finding.kind !== 'node') return undefined;
    const { answer } = finding;
    if (answer.id !== id) return undefined;
    if (answer.incarnation === incarnation) {
      // nobody else can listen where we do: it need not be asked again
      this.#own = member;
      return undefined;
    }
    const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    return { where, isDraining: answer.draining };
  }
}
