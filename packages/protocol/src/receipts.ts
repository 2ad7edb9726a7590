import { Buffer } from 'node:buffer';
import { type ErrorDetail, isErrorCode, PinwheelError } from './pinwheel-error.js';
import { type Receipt, type ReceiptStatus, receiptStatuses } from './receipt.js';

/** What a receipt says beside its status and count; most say nothing. */
export type ReceiptDetail = Pick<Receipt, 'stream' | 'seq' | 'owner' | 'fingerprint' | 'error'>;

const magic = Buffer.from('PWR1');
const plainBytes = 3;
const detailFlag = 0x80;
const maxDetailBytes = 0xffff;
const maxShortened = 1000;

const none: readonly number[] = [];

const codeOf = Object.fromEntries(receiptStatuses.map((status, code) => [status, code])) as Record<
  ReceiptStatus,
  number
>;

/**
 * The receipts of one batch, by place, in any order of arrival: columns rather than objects. On the wire, for a
 * batch in binary: `PWR1`, then per receipt
 *
 *     u8 status (+128 with detail) · u16 sessions · with detail: u16 bytes, JSON
 */
export class Receipts {
  readonly #status: Uint8Array;
  readonly #sessions: Uint16Array;
  /** Most batches have none. */
  #details: Map<number, ReceiptDetail> | undefined;
  #passedOn: number[] | undefined;

  constructor(length: number) {
    this.#status = new Uint8Array(length);
    this.#sessions = new Uint16Array(length);
  }

  get length(): number {
    return this.#status.length;
  }

  /** Places of messages that went on to another node; a node says so beside the receipts. */
  get passedOn(): readonly number[] {
    return this.#passedOn ?? none;
  }

  notePassedOn(places: readonly number[]): void {
    this.#passedOn ??= [];
    this.#passedOn.push(...places);
  }

  set(i: number, status: ReceiptStatus, sessions = 0, detail?: ReceiptDetail): void {
    this.#status[i] = codeOf[status];
    this.#sessions[i] = Math.min(sessions, 0xffff);
    if (detail === undefined) this.#details?.delete(i);
    else this.#say(i, detail);
  }

  /** Takes over a receipt that somebody else gave, whomever it is for. */
  put(i: number, { user: _, status, sessions, ...detail }: Receipt): void {
    this.set(i, status, sessions, Object.keys(detail).length === 0 ? undefined : detail);
  }

  status(i: number): ReceiptStatus {
    return receiptStatuses[this.#status[i]!]!;
  }

  /** The receipt at place `i` as an object, for the user whom that message was for. */
  receipt(i: number, user: string): Receipt {
    const status = this.status(i);
    const detail = this.#details?.get(i);
    if (status === 'delivered') {
      const sessions = this.#sessions[i]!;
      return detail === undefined ? { user, status, sessions } : { user, status, sessions, ...detail };
    }
    return detail === undefined ? { user, status } : { user, status, ...detail };
  }

  /** Those at some places, in that order. */
  pick(places: readonly number[]): Receipts {
    const picked = new Receipts(places.length);
    const passedOn = new Set(this.#passedOn);
    for (const [i, place] of places.entries()) {
      picked.#status[i] = this.#status[place]!;
      picked.#sessions[i] = this.#sessions[place]!;
      const detail = this.#details?.get(place);
      if (detail !== undefined) picked.#say(i, detail);
      if (passedOn.has(place)) picked.notePassedOn([i]);
    }
    return picked;
  }

  encode(): Buffer {
    let details: Map<number, Buffer> | undefined;
    let size = magic.length + this.length * plainBytes;
    for (const [i, detail] of this.#details ?? []) {
      const json = encodeDetail(detail);
      details ??= new Map();
      details.set(i, json);
      size += 2 + json.length;
    }
    const bytes = Buffer.allocUnsafe(size);
    let at = magic.copy(bytes);
    for (let i = 0; i < this.length; i++) {
      const detail = details?.get(i);
      bytes[at] = this.#status[i]! | (detail === undefined ? 0 : detailFlag);
      bytes[at + 1] = this.#sessions[i]!;
      bytes[at + 2] = this.#sessions[i]! >>> 8;
      at += plainBytes;
      if (detail !== undefined) {
        bytes.writeUInt16LE(detail.length, at);
        at += 2 + detail.copy(bytes, at + 2);
      }
    }
    return bytes;
  }

  /**
   * @param length how many receipts there must be.
   * @throws PinwheelError `bad-request` for anything else.
   */
  static decode(bytes: Buffer, length: number): Receipts {
    if (bytes.length < magic.length || bytes.compare(magic, 0, magic.length, 0, magic.length) !== 0) {
      throw new PinwheelError('bad-request', 'the receipts do not begin with PWR1');
    }
    const receipts = new Receipts(length);
    let at = magic.length;
    for (let i = 0; i < length; i++) {
      if (at + plainBytes > bytes.length) throw wrong(i, length, 'is cut off');
      const code = bytes[at]! & ~detailFlag;
      if (code >= receiptStatuses.length) throw wrong(i, length, `has the unknown status ${code}`);
      receipts.#status[i] = code;
      receipts.#sessions[i] = bytes[at + 1]! | (bytes[at + 2]! << 8);
      const detailed = (bytes[at]! & detailFlag) !== 0;
      at += plainBytes;
      if (detailed) at = receipts.#decodeDetail(bytes, at, i);
    }
    if (at !== bytes.length) {
      throw new PinwheelError(
        'bad-request',
        `${bytes.length - at} bytes follow the last of ${length} receipts`,
      );
    }
    return receipts;
  }

  #say(i: number, detail: ReceiptDetail): void {
    this.#details ??= new Map();
    this.#details.set(i, detail);
  }

  #decodeDetail(bytes: Buffer, at: number, i: number): number {
    if (at + 2 > bytes.length) throw wrong(i, this.length, 'is cut off');
    const end = at + 2 + bytes.readUInt16LE(at);
    if (end > bytes.length) throw wrong(i, this.length, 'is cut off');
    this.#say(i, parseDetail(bytes.toString('utf8', at + 2, end), i, this.length));
    return end;
  }
}

/** What would not fit, because a node on the way said too much, loses all but the beginning of its error. */
function encodeDetail(detail: ReceiptDetail): Buffer {
  const json = Buffer.from(JSON.stringify(detail));
  if (json.length <= maxDetailBytes) return json;
  const { code = 'internal', message = 'the detail is too long' } = detail.error ?? {};
  return Buffer.from(JSON.stringify({ error: { code, message: message.slice(0, maxShortened) } }));
}

function parseDetail(json: string, i: number, length: number): ReceiptDetail {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw wrong(i, length, 'has a detail that is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null)
    throw wrong(i, length, 'has a detail that is not an object');
  const { stream, seq, owner, fingerprint, error } = parsed as Record<string, unknown>;
  return {
    ...(typeof stream === 'string' ? { stream } : {}),
    ...(typeof seq === 'number' ? { seq } : {}),
    ...(typeof owner === 'string' ? { owner } : {}),
    ...(typeof fingerprint === 'string' ? { fingerprint } : {}),
    ...(isErrorDetail(error) ? { error } : {}),
  };
}

function isErrorDetail(value: unknown): value is ErrorDetail {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return isErrorCode(code) && typeof message === 'string';
}

function wrong(i: number, length: number, what: string): PinwheelError {
  return new PinwheelError('bad-request', `receipt ${i + 1} of ${length} ${what}`);
}
