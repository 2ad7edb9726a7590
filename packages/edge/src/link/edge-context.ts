import { AttachQueue } from './attach-queue.js';
import type { Client } from './client.js';
import type { ResolvedEdgeCoreOptions } from './edge-core-options.js';
import { EdgeLinks } from './edge-links.js';
import type { EdgeWorld } from './edge-world.js';
import { linkCounters } from './link-counters.js';
import { PartingSessions } from './parting-sessions.js';
import type { Pin } from './pin.js';
import { Retries } from './retries.js';
import { WriteTurn } from './write-turn.js';

/** What the sessions and links of an edge share. */
export class EdgeContext {
  readonly world: EdgeWorld;
  readonly options: ResolvedEdgeCoreOptions;
  readonly counters = linkCounters();
  readonly turn: WriteTurn;
  readonly queue: AttachQueue;
  readonly retries: Retries;
  readonly links: EdgeLinks;
  /** Those whose client has yet to say hello, and since when; the eldest first. */
  readonly greeting = new Map<Pin, number>();
  /** Those that are not attached, and since when; the eldest first. */
  readonly unattached = new Map<Pin, number>();
  readonly paused = new Set<Client>();
  readonly parting: PartingSessions;
  /** Sessions that are attached. */
  attached = 0;

  constructor(world: EdgeWorld, options: ResolvedEdgeCoreOptions) {
    this.world = world;
    this.options = options;
    this.turn = new WriteTurn(world);
    this.parting = new PartingSessions(() => world.clock.now());
    this.queue = new AttachQueue(world, options.attachesPerSecond);
    this.retries = new Retries(world);
    this.links = new EdgeLinks(this);
  }

  /** What it has waited for so far was its turn. */
  waitsFromNow(pin: Pin): void {
    if (this.unattached.delete(pin)) this.unattached.set(pin, this.world.clock.now());
  }
}
