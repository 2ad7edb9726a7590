/** What a command has started. */
export interface Running {
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<void>;
  /** Resolves when everything is gone. */
  leave(): Promise<void>;
  /** Ends everything now. */
  cut(): Promise<void>;
  /** Says that it is up. */
  announce?(): void;
}

export interface UntilSignalOptions {
  /** For what belongs to a terminal: SIGHUP, when that closes. */
  readonly alsoSignals?: readonly NodeJS.Signals[];
  /** Comes before the start, which does not come when a signal has: it ends soon when it is aborted. */
  readonly prepare?: (aborted: AbortSignal) => Promise<void>;
}

/** A start that a signal meets has so long to come to its end, so that what it has begun can be undone, in ms. */
const startMs = 2000;
const cutShort = 1;

/**
 * Runs until SIGINT or SIGTERM, or until it has ended by itself: then leaves in order. A second signal cuts it short. They
 * are listened for from the start on: the first process of a container would not be ended by them otherwise.
 */
export async function untilSignal(
  start: () => Promise<Running>,
  { alsoSignals = [], prepare = async () => {} }: UntilSignalOptions = {},
): Promise<void> {
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', ...alsoSignals];
  let running: Running | undefined;
  let listener = (_signal: NodeJS.Signals): void => {};
  let late: NodeJS.Timeout | undefined;
  const preparing = new AbortController();
  const signalled = new Promise<true>((resolve) => {
    let count = 0;
    // a shell and the terminal both say that it closes
    listener = (signal) => {
      if (signal !== 'SIGHUP' || count === 0) count++;
      if (running === undefined) {
        if (count > 1) process.exit(cutShort);
        late ??= setTimeout(() => process.exit(cutShort), startMs).unref();
      } else if (count > 1) void running.cut();
      preparing.abort();
      resolve(true);
    };
    for (const signal of signals) process.on(signal, listener);
  });
  try {
    await prepare(preparing.signal);
    if (preparing.signal.aborted) return;
    running = await start();
    clearTimeout(late);
    running.announce?.();
    const isSignalled = await Promise.race([signalled, running.ended.then(() => false)]);
    if (isSignalled) await running.leave();
  } finally {
    clearTimeout(late);
    for (const signal of signals) process.off(signal, listener);
  }
}
