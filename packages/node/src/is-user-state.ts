import type { Absorbed, KeptState, SessionState, UserState } from '@pinwheel/holder';
import type { Position } from '@pinwheel/protocol';

type Check = (value: unknown) => boolean;
/** One for each field, so that none is forgotten. */
type Checks<T> = { readonly [Field in keyof Required<T>]: Check };

const maxTextLength = 1024;
const mostStreams = 16;
const mostIds = 1024;

const isText: Check = (value) => typeof value === 'string' && value.length <= maxTextLength;
const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isNumber: Check = (value) => Number.isFinite(value);
const isWhole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
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

const isPosition = isObject<Position>({ stream: isText, seq: isWhole });
const isKept = isObject<KeptState>({
  seq: isWhole,
  id: isText,
  binary: isBoolean,
  base64: isString,
  origins: isList(isPosition, mostStreams),
});
const isSeen = isObject<UserState['seen'][number]>({ id: isText, sessions: isWhole });
const isSession = isObject<SessionState>({
  key: isText,
  edge: isText,
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
const isAbsorbed = isObject<Absorbed>({ stream: isText, from: isWhole, at: isWhole });
const isState = isObject<UserState>({
  stream: isText,
  next: isWhole,
  kept: isList(isKept),
  seen: isList(isSeen, mostIds),
  sessions: isList(isSession),
  absorbed: isList(isAbsorbed, mostStreams),
  isPartial: isBoolean,
  contested: isList(isText, mostIds),
});

/**
 * Whether what another node sent is a user's state. A schema's parser makes a copy of all of it, which was a sixth of what
 * it costs a node to take a user over.
 */
export function isUserState(value: unknown): value is UserState {
  return isState(value);
}
