/** What became of a number. `seen`: it was used, or is so old that nobody knows. `full`: there is no room to remember it. */
export type Freshness = 'fresh' | 'seen' | 'full';

/** Numbers that may overtake each other: a process has many connections. */
const numbers = 65_536;
const words = numbers / 32;

interface Heard {
  readonly bits: Uint32Array;
  highest: number;
  /** After this time nothing of it is taken any more, whatever it is. */
  until: number;
}

/**
 * Remembers which proofs were used: of each process the highest number, and which of the 65,536 below it. 8 KiB for
 * each process that was heard within the time that a proof is good; only who has the key can make it grow.
 */
export class ReplayWindow {
  readonly #heard = new Map<string, Heard>();
  readonly #maxProcesses: number;

  constructor(maxProcesses = 4096) {
    this.#maxProcesses = maxProcesses;
  }

  get size(): number {
    return this.#heard.size;
  }

  /**
   * Uses a number up.
   *
   * @param until the time after which a proof with it is refused for its age, on the clock of `now`.
   */
  use(process: string, number: number, until: number, now: number): Freshness {
    let heard = this.#heard.get(process);
    if (heard === undefined) {
      if (this.#heard.size >= this.#maxProcesses) this.#forget(now);
      if (this.#heard.size >= this.#maxProcesses) return 'full';
      heard = { bits: new Uint32Array(words), highest: 0, until };
      this.#heard.set(process, heard);
    }
    if (number <= heard.highest - numbers) return 'seen';
    if (number > heard.highest) advance(heard, number);
    else if (isSet(heard, number)) return 'seen';
    set(heard, number);
    heard.until = Math.max(heard.until, until);
    return 'fresh';
  }

  #forget(now: number): void {
    for (const [process, { until }] of this.#heard) if (until < now) this.#heard.delete(process);
  }
}

/** The numbers in between have not come: their places were those of numbers that are too old now. */
function advance(heard: Heard, number: number): void {
  if (number - heard.highest >= numbers) heard.bits.fill(0);
  else for (let i = heard.highest + 1; i <= number; i++) clear(heard, i);
  heard.highest = number;
}

function isSet({ bits }: Heard, number: number): boolean {
  const place = number % numbers;
  return (bits[Math.floor(place / 32)]! & (1 << (place % 32))) !== 0;
}

function set({ bits }: Heard, number: number): void {
  const place = number % numbers;
  bits[Math.floor(place / 32)]! |= 1 << (place % 32);
}

function clear({ bits }: Heard, number: number): void {
  const place = number % numbers;
  bits[Math.floor(place / 32)]! &= ~(1 << (place % 32));
}
