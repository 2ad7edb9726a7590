import { performance } from 'node:perf_hooks';

/** Told when a client has reached a bound, with whose it was as far as that is known. */
export type TellLimit = (limit: string, user: string | undefined, address: string | undefined) => void;

/** Between two lines about one bound, or a flood of clients would be one of lines. */
const pauseMs = 10_000;

/** Says in the log who reaches bounds: the metrics have no user in them. Of each bound one client in ten seconds. */
export function limitLog(
  log: { warn(fields: object, text: string): void },
  now: () => number = () => performance.now(),
): TellLimit {
  const nextAt = new Map<string, number>();
  return (limit, user, address) => {
    const at = now();
    if (at < (nextAt.get(limit) ?? 0)) return;
    nextAt.set(limit, at + pauseMs);
    const whose = { ...(user === undefined ? {} : { user }), ...(address === undefined ? {} : { address }) };
    log.warn(
      { limit, ...whose },
      'a client has reached a bound; of others in the next 10 s only the metrics tell',
    );
  };
}
