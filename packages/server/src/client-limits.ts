import { type ConnectionBounds, ConnectionLimits, type LimitCounters } from './connection-limits.js';
import { limitLog } from './limit-log.js';
import { MemoryWatch } from './memory-watch.js';
import { OpenSockets } from './open-sockets.js';

export interface ClientLimitsOptions {
  readonly bounds: ConnectionBounds;
  readonly maxRssBytes: number;
  /** Files that are open for a client: its socket, and what is opened for it. */
  readonly filesPerClient: number;
  readonly counters: LimitCounters;
  readonly log: {
    info(fields: object, text: string): void;
    warn(fields: object, text: string): void;
  };
}

/** A number, and what it is of. */
type Measured = readonly [value: number, of: string];

/** What a process takes from the clients of its port, and what it has room for. */
export class ClientLimits {
  readonly memory: MemoryWatch;
  readonly sockets: OpenSockets;
  readonly places: ConnectionLimits;

  constructor({ bounds, maxRssBytes, filesPerClient, counters, log }: ClientLimitsOptions) {
    this.memory = new MemoryWatch({ maxRssBytes, log });
    this.sockets = new OpenSockets({ filesPerClient, counters, log });
    const possible = { ...bounds, maxConnections: this.sockets.connectionsWithin(bounds.maxConnections) };
    this.places = new ConnectionLimits(possible, this.memory, counters, limitLog(log));
  }

  /** Why no clients are taken for want of room; `undefined` when they are. */
  get whyFull(): string | undefined {
    if (this.memory.isOver) return 'memory is at its bound';
    if (this.sockets.isFull) return 'the limit of open files leaves room for no more clients';
    return undefined;
  }

  /** As `pinwheel_memory_bytes` has it. */
  memoryBytes(): readonly Measured[] {
    return [
      [this.memory.rssBytes, 'resident'],
      [this.memory.maxRssBytes, 'bound'],
    ];
  }

  /** As `pinwheel_client_sockets` has it. */
  socketCounts(): readonly Measured[] {
    const { size, room } = this.sockets;
    const open: Measured = [size, 'open'];
    return room === undefined ? [open] : [open, [room.maxSockets, 'bound']];
  }

  /** Ends its timer. May be called twice. */
  close(): void {
    this.memory.close();
  }
}
