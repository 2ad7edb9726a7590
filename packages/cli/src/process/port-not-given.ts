import { PinwheelError } from '@pinwheel/protocol';
import { options } from '../settings/options.js';
import type { Settings } from '../settings/settings.js';

const notAllowed = /: (?:--)?(port|ws-port) is (\d+); (it must be in .*)$/;

/**
 * A node that was given no port takes a free one, which may not be allowed: its number is nobody's choice, and says nothing of
 * what to change.
 */
export function explainFreePort(thrown: unknown, settings: Settings): unknown {
  if (!(thrown instanceof PinwheelError)) return thrown;
  const [, name, port, bound] = notAllowed.exec(thrown.message) ?? [];
  if (name === undefined) return thrown;
  const option = name === 'port' ? options.port : options.wsPort;
  if ((settings.number(option) ?? 0) !== 0) return thrown;
  const why = `: no --${name} was given, and the free port that was taken, ${port}, is not allowed: ${bound}; give --${name}`;
  return new PinwheelError(
    thrown.code,
    thrown.message.replace(notAllowed, () => why),
    { cause: thrown },
  );
}
