import { Buffer } from 'node:buffer';
import type { Absorbed, KeptState, SessionState, UserState } from '@pinwheel/holder';
import {
  isMessageId,
  maxKeyBytes,
  maxMemberBytes,
  maxStreamBytes,
  maxU32,
  type Position,
} from '@pinwheel/protocol';

type Check = (value: unknown) => boolean;
/** One for each field, so that none is forgotten. */
type Checks<T> = { readonly [Field in keyof Required<T>]: Check };

const mostStreams = 16;
const mostIds = 1024;

/** As a frame of a link has room for it. */
function isName(maxBytes: number): Check {
  return (value) => typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= maxBytes;
}

const isStream = isName(maxStreamBytes);
const isKey = isName(maxKeyBytes);
const isMember = isName(maxMemberBytes);
const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isNumber: Check = (value) => Number.isFinite(value);
/** As frames and inboxes have room for it. */
const isWhole: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxU32;
const isWholeOrNull: Check = (value) => value === null || isWhole(value);

function isList(isOne: Check, most = Number.POSITIVE_INFINITY): Check {
  return (value) => Array.isArray(value) && value.length <= most && value.every(isOne);
}

function isObject<T>(checks: Checks<T>): Check {
  const fields = Object.entries<Check>(checks);
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    for (const [field, check] of fields)
      if (!check((value as Readonly<Record<string, unknown>>)[field])) return false;
    return true;
  };
}

const isPosition = isObject<Position>({ stream: isStream, seq: isWhole });
const isKept = isObject<KeptState>({
  seq: isWhole,
  id: isMessageId,
  binary: isBoolean,
  base64: isString,
  origins: isList(isPosition, mostStreams),
});
const isSeen = isObject<UserState['seen'][number]>({
  id: isMessageId,
  sessions: isWhole,
  seq: (value) => value === undefined || isWhole(value),
});
const isSession = isObject<SessionState>({
  key: isKey,
  edge: isMember,
  since: isNumber,
  acknowledges: isBoolean,
  epoch: isWhole,
  acked: isWhole,
  begins: isWhole,
  gapAt: isWholeOrNull,
  taken: isWhole,
  announced: isBoolean,
  covers: isList(isPosition, mostStreams),
  former: isList(isPosition, mostStreams),
  isComing: isBoolean,
});
const isAbsorbed = isObject<Absorbed>({ stream: isStream, from: isWhole, at: isWhole });
const isState = isObject<UserState>({
  stream: isStream,
  next: isWhole,
  kept: isList(isKept),
  seen: isList(isSeen, mostIds),
  sessions: isList(isSession),
  absorbed: isList(isAbsorbed, mostStreams),
  isPartial: isBoolean,
  contested: isList(isMember, mostIds),
});

/** The kept messages are the last ones before the next. */
function isInARow({ next, kept }: UserState): boolean {
  const first = next - kept.length;
  return first >= 1 && kept.every(({ seq }, i) => seq === first + i);
}

/**
 * Whether what another node sent is a user's state. A schema's parser makes a copy of all of it, which was a sixth of what
 * it costs a node to take a user over.
 */
export function isUserState(value: unknown): value is UserState {
  return isState(value) && isInARow(value as UserState);
}
