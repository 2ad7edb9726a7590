import { readFileSync } from 'node:fs';

/** What is left to everything but clients: links, calls, files, and what the application opens. */
const leastKept = 64;
const keptPart = 1 / 8;
/** Of the sockets, for those that have brought no head yet, or are being refused. */
const newcomersPart = 1 / 10;

/** How many clients the limit of open files leaves room for. */
export interface FileRoom {
  /** Files and sockets that the process may have open at all. */
  readonly maxOpenFiles: number;
  /** Clients' sockets, whatever has come on them. */
  readonly maxSockets: number;
  /** Clients that are known to be one. */
  readonly maxConnections: number;
}

/** How many files and sockets this process may have open (`ulimit -n`); `undefined` where nothing says so. */
export function maxOpenFiles(): number | undefined {
  try {
    const found = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

/** @param filesPerClient its socket, and what is opened for it. */
export function roomWithin(maxOpenFiles: number, filesPerClient: number): FileRoom {
  const kept = Math.min(Math.max(leastKept, maxOpenFiles * keptPart), maxOpenFiles / 2);
  const maxSockets = Math.floor((maxOpenFiles - kept) / filesPerClient);
  return { maxOpenFiles, maxSockets, maxConnections: Math.floor(maxSockets * (1 - newcomersPart)) };
}
