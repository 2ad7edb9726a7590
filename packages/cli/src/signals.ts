/**
 * Runs until SIGINT or SIGTERM, or until it has ended by itself: then leaves in order. A second signal cuts it short.
 *
 * @param leave resolves when everything is gone.
 * @param cut ends everything now.
 * @param announce says that it is up. Called when signals are listened for, because whoever hears of it may send one.
 */
export async function untilSignal(
  ended: Promise<void>,
  leave: (signal: NodeJS.Signals) => Promise<void>,
  cut: () => Promise<void>,
  announce: () => void = () => {},
): Promise<void> {
  let listener: (signal: NodeJS.Signals) => void = () => {};
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    let first = true;
    listener = (signal) => {
      if (!first) void cut();
      first = false;
      resolve(signal);
    };
    process.on('SIGINT', listener);
    process.on('SIGTERM', listener);
  });
  try {
    announce();
    const signal = await Promise.race([signalled, ended.then(() => undefined)]);
    if (signal !== undefined) await leave(signal);
  } finally {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  }
}
