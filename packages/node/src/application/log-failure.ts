import type { Session } from '@pinwheel/holder';
import type { Log } from '@pinwheel/membership';
import { PinwheelError } from '@pinwheel/protocol';
import { firstLinesOf } from './first-lines.js';

/** What the application threw. Clients that it refuses are every day's, and may be many: no warning, and no stack. */
export function logFailure(log: Log, { user, id }: Session, thrown: unknown, isRefusal: boolean): void {
  const fields = { user, session: id, error: PinwheelError.from(thrown, 'application').message };
  if (isRefusal) log.info(fields, 'the application refused a client');
  else log.warn({ ...fields, ...firstLinesOf(thrown) }, 'the application failed');
}
