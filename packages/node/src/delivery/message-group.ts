import type { ErrorCode, Message, ReceiptDetail, ReceiptStatus, Receipts } from '@pinwheel/protocol';
import type { Forwarded } from './forwarder.js';

/** The messages of one batch for one user: they go one way together, and so stay in order. */
export interface Group {
  readonly user: string;
  readonly batch: readonly Message[];
  readonly places: readonly number[];
  readonly receipts: Receipts;
}

type Failure = Extract<Forwarded, { failed: ErrorCode }>;

/** What of a group got no receipt, or one that says that the user is not there. */
export interface Rest {
  readonly failed: Failed | undefined;
  readonly notThere: number[];
  /** Whom the node that was asked named in its place. */
  readonly named: string | undefined;
}

export interface Failed {
  readonly group: Group;
  readonly why: Failure;
}

/** Takes over every receipt that settles its message. A large group may have been cut, and a part of it delivered. */
export function adopt(group: Group, ends: readonly Forwarded[]): Rest {
  const notThere: number[] = [];
  const places: number[] = [];
  let why: Failure | undefined;
  let named: string | undefined;
  for (const [i, place] of group.places.entries()) {
    const end = ends[i]!;
    if ('failed' in end) {
      places.push(place);
      why = end;
      continue;
    }
    const { status } = end;
    group.receipts.put(place, end);
    if (status === 'not-owner') named = end.owner;
    if (status === 'not-owner' || status === 'offline') notThere.push(place);
  }
  return { failed: why === undefined ? undefined : { group: { ...group, places }, why }, notThere, named };
}

export function settleFailed({ group, why }: Failed): void {
  settle(group, 'overloaded', errorDetail(why.failed, why.why));
}

export function settle(group: Group, status: ReceiptStatus, detail?: ReceiptDetail): undefined {
  for (const i of group.places) group.receipts.set(i, status, 0, detail);
  return undefined;
}

export function errorDetail(code: ErrorCode, message: string): ReceiptDetail {
  return { error: { code, message } };
}
