import { type Log, type Membership, type RingTracker, silentLog } from '@pinwheel/membership';
import { checkWhole, maxDeadlineMs, maxMessageBytes, PinwheelError } from '@pinwheel/protocol';
import type { RingSettings } from '@pinwheel/ring';
import { checkStrategy, ringStrategy, type Strategy } from '@pinwheel/strategy';
import type { KeySource } from '@pinwheel/trust';
import type { DispatchLimits } from './dispatch.js';
import { defaultOutboxLimits } from './outbox.js';

export interface SenderOptions {
  /**
   * How messages find their users; default: by the ring. It must be what the nodes have. The sender does not close its
   * queue. Only the ring needs `membership` or `tracker`.
   */
  readonly strategy?: Strategy;
  /** Where the members come from. The sender does not close it. */
  readonly membership?: Membership;
  /** Instead of `membership`: the ring that this process follows already. The sender does not close it. */
  readonly tracker?: RingTracker;
  /** With `membership`; must be what every other process of the service has. Default: xxhash32, 512. */
  readonly ringSettings?: Partial<RingSettings>;
  /**
   * How long a message may take until its receipt, in ms; default 5000, at most 60,000. Longer bridges more of a
   * node's failure, shorter tells the caller sooner.
   */
  readonly deadlineMs?: number;
  /**
   * Messages that may wait for a receipt; default 65,536. A message beyond it gets `overloaded` at once. More
   * bridges longer stalls and takes more memory, about 300 bytes and the payload each.
   */
  readonly maxQueuedMessages?: number;
  /** The same in bytes, a string counted at its longest, three a unit; default 67,108,864, at least 4,194,304. */
  readonly maxQueuedBytes?: number;
  /** Most messages in one request; default 2048. Fewer mean shorter turns in the nodes and more requests. */
  readonly maxBatchMessages?: number;
  /** Most bytes in one request; default 1,048,576, a string counted at its longest. */
  readonly maxBatchBytes?: number;
  /** How often a message is tried within its deadline; default 400, which are more than the longest one has time for. */
  readonly maxAttempts?: number;
  /** The keys that the processes of the service share: every call carries a proof. The sender does not close them. */
  readonly keys?: KeySource;
  readonly log?: Log;
}

/** With the waits between them, a quarter of a second each on average, they outlast 60 s. */
const defaultMaxAttempts = 400;

export interface CheckedSenderOptions extends DispatchLimits {
  readonly strategy: Strategy;
  readonly deadlineMs: number;
  readonly log: Log;
}

/** @throws PinwheelError `bad-option`. */
export function checkSenderOptions(options: SenderOptions): CheckedSenderOptions {
  const strategy = checkStrategy(options.strategy ?? ringStrategy);
  const hasSource = options.membership !== undefined || options.tracker !== undefined;
  const hasBoth = options.membership !== undefined && options.tracker !== undefined;
  if (hasBoth || (strategy.name === 'ring' && !hasSource)) {
    throw new PinwheelError('bad-option', 'a sender takes exactly one of membership and tracker');
  }
  const checked = {
    strategy,
    deadlineMs: options.deadlineMs ?? 5000,
    maxQueuedMessages: options.maxQueuedMessages ?? 65_536,
    maxQueuedBytes: options.maxQueuedBytes ?? 67_108_864,
    maxBatchMessages: options.maxBatchMessages ?? defaultOutboxLimits.maxBatchMessages,
    maxBatchBytes: options.maxBatchBytes ?? defaultOutboxLimits.maxBatchBytes,
    maxAttempts: options.maxAttempts ?? defaultMaxAttempts,
    log: options.log ?? silentLog,
  };
  checkWhole('deadlineMs', checked.deadlineMs, 1, maxDeadlineMs);
  checkWhole('maxQueuedMessages', checked.maxQueuedMessages, 1, 16_777_216);
  checkWhole('maxQueuedBytes', checked.maxQueuedBytes, 4 * maxMessageBytes, 2 ** 34);
  checkWhole('maxBatchMessages', checked.maxBatchMessages, 1, 16_384);
  checkWhole('maxBatchBytes', checked.maxBatchBytes, 1024, 8_388_608);
  checkWhole('maxAttempts', checked.maxAttempts, 1, 10_000);
  return checked;
}
