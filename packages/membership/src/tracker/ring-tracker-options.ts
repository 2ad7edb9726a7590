import { PinwheelError } from '@pinwheel/protocol';
import { type RingSettings, ringSettings } from '@pinwheel/ring';
import { type Log, silentLog } from '../log/log.js';
import type { Membership } from '../member/contract.js';
import { defaultSettleOptions, type SettleOptions } from '../settle/settle-options.js';
import { type Clock, systemClock } from '../time/clock.js';
import { defaultProbeOptions, directProbe, type Probe } from './probe.js';

export interface RingTrackerOptions extends Partial<SettleOptions> {
  readonly membership: Membership;
  /** Must be the same in every process of the service. */
  readonly settings?: Partial<RingSettings>;
  /** Default: silent. */
  readonly log?: Log;
  /**
   * How long `start` waits for the source before it takes the ring on disk or gives up, in ms. Default 3000.
   * Longer: rides out a slow source; shorter: starts sooner while the source is away. `Infinity`: it never gives up.
   */
  readonly startDeadlineMs?: number;
  /**
   * How long a replaced ring is kept for "who owned this before?", in ms. Default 120000. Must be longer than a
   * move of all users takes; longer costs memory (6 bytes a point) and questions to former owners.
   */
  readonly transitionWindowMs?: number;
  /** At most this many replaced rings are kept. Default 8. */
  readonly maxPreviousRings?: number;
  /** File for the last good ring, one per process. Default: none, so that a start needs the source. */
  readonly lastGoodPath?: string;
  /** Deadline of one direct question to a member that vanished, in ms. Default 500. */
  readonly probeTimeoutMs?: number;
  /** Questions before a silent member counts as unreachable. Default 2. */
  readonly probeTries?: number;
  /** How a member is asked directly. Default: `GET /healthz`, or a TCP connection to a foreign backend. */
  readonly probe?: Probe;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export interface TrackerSetup {
  readonly membership: Membership;
  readonly settings: RingSettings;
  readonly settle: SettleOptions;
  readonly log: Log;
  readonly startDeadlineMs: number;
  readonly transitionWindowMs: number;
  readonly maxPreviousRings: number;
  readonly lastGoodPath: string | undefined;
  readonly probe: Probe;
  readonly clock: Clock;
}

/**
 * Fills in defaults.
 *
 * @throws PinwheelError `bad-option` that names the option, the value and the bound.
 */
export function trackerSetup(options: RingTrackerOptions): TrackerSetup {
  // a program in JavaScript hears of a name that is misspelt only here
  if (typeof options.membership?.watch !== 'function') {
    const hint = 'give what consulMembership, staticMembership or inProcessMembership returns';
    throw new PinwheelError('bad-option', `membership is ${typeof options.membership}; ${hint}`);
  }
  const pick = (name: keyof SettleOptions): number => options[name] ?? defaultSettleOptions[name];
  const settle: SettleOptions = {
    joinQuietMs: pick('joinQuietMs'),
    joinLongestMs: pick('joinLongestMs'),
    vanishGraceMs: pick('vanishGraceMs'),
    reprobeMs: pick('reprobeMs'),
    freezeAbove: pick('freezeAbove'),
    flapWindowMs: pick('flapWindowMs'),
    flapFirstWaitMs: pick('flapFirstWaitMs'),
    flapLongestWaitMs: pick('flapLongestWaitMs'),
  };
  const startDeadlineMs = options.startDeadlineMs ?? 3_000;
  const transitionWindowMs = options.transitionWindowMs ?? 120_000;
  const maxPreviousRings = options.maxPreviousRings ?? 8;
  const timeoutMs = options.probeTimeoutMs ?? defaultProbeOptions.timeoutMs;
  const tries = options.probeTries ?? defaultProbeOptions.tries;
  const least = { reprobeMs: 10, flapWindowMs: 1, flapFirstWaitMs: 1, flapLongestWaitMs: 1 };
  for (const [name, value] of Object.entries(settle)) {
    check(name, value, least[name as keyof typeof least] ?? 0, name === 'freezeAbove' ? 1 : longestMs);
  }
  if (startDeadlineMs !== Number.POSITIVE_INFINITY) check('startDeadlineMs', startDeadlineMs, 1, longestMs);
  check('transitionWindowMs', transitionWindowMs, 0, longestMs);
  check('maxPreviousRings', maxPreviousRings, 0, 64);
  check('probeTimeoutMs', timeoutMs, 1, 60_000);
  check('probeTries', tries, 1, 10);
  return {
    membership: options.membership,
    settings: checkedSettings(options.settings),
    settle,
    log: options.log ?? silentLog,
    startDeadlineMs,
    transitionWindowMs,
    maxPreviousRings,
    lastGoodPath: options.lastGoodPath,
    probe: options.probe ?? directProbe({ timeoutMs, tries }),
    clock: options.clock ?? systemClock,
  };
}

/** A day: longer waits are mistakes. */
const longestMs = 86_400_000;

function check(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new PinwheelError('bad-option', `${name} is ${value}; it must be between ${least} and ${most}`);
}

function checkedSettings(settings: Partial<RingSettings> | undefined): RingSettings {
  try {
    return ringSettings(settings);
  } catch (error) {
    throw PinwheelError.from(error, 'bad-option');
  }
}
