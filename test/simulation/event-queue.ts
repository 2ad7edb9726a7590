import type { SimProcess } from './sim-process.js';

export interface Scheduled {
  readonly at: number;
  readonly order: number;
  readonly process: SimProcess | undefined;
  /** Missing once it was cancelled. */
  call: (() => void) | undefined;
}

/** What is to happen, by time and then in the order in which it was said: a binary heap. */
export class EventQueue {
  readonly #heap: Scheduled[] = [];
  #order = 0;

  add(at: number, process: SimProcess | undefined, call: () => void): Scheduled {
    const heap = this.#heap;
    const added: Scheduled = { at, order: this.#order++, process, call };
    let hole = heap.length;
    heap.push(added);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (isBefore(heap[parent]!, added)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = added;
    return added;
  }

  peek(): Scheduled | undefined {
    return this.#heap[0];
  }

  take(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = last;
    return first;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
