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

/** A start that a signal meets has so long to come to its end, so that what it has begun can be undone, in ms. */
const startMs = 2000;
const cutShort = 1;

/**
 * Runs until SIGINT or SIGTERM, or until it has ended by itself: then leaves in order. A second signal cuts it short. They
 * are listened for from the start on: the first process of a container would not be ended by them otherwise.
 */
export async function untilSignal(start: () => Promise<Running>): Promise<void> {
  let running: Running | undefined;
  let listener = (): void => {};
  let late: NodeJS.Timeout | undefined;
  const signalled = new Promise<true>((resolve) => {
    let signals = 0;
    listener = () => {
      signals++;
      if (running === undefined) {
        if (signals > 1) process.exit(cutShort);
        late ??= setTimeout(() => process.exit(cutShort), startMs).unref();
      } else if (signals > 1) void running.cut();
      resolve(true);
    };
    process.on('SIGINT', listener);
    process.on('SIGTERM', listener);
  });
  try {
    running = await start().finally(() => clearTimeout(late));
    running.announce?.();
    const isSignalled = await Promise.race([signalled, running.ended.then(() => false)]);
    if (isSignalled) await running.leave();
  } finally {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  }
}
