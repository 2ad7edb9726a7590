import { maxPositions, maxStreamBytes, maxTokenBytes } from '../field-bounds.js';
import {
  brokenControl,
  numberField,
  parseControl,
  sessionField,
  shown,
  textField,
  unknownControl,
} from './control-fields.js';
import type { ClientControl } from './frames.js';

/**
 * Reads a client's text message. Fields that a later version may add are passed over.
 *
 * @throws PinwheelError `protocol`.
 */
export function parseClientControl(text: string): ClientControl {
  const { type, session, epoch, positions, token } = parseControl(text);
  switch (type) {
    case 'hello':
      return {
        type,
        session: sessionField(session),
        epoch: numberField('epoch', epoch),
        ...(positions === undefined ? {} : { positions: positionsOf(positions) }),
      };
    case 'ping':
      return { type };
    case 'token':
      return { type, token: textField('token', token, 1, maxTokenBytes) };
    default:
      throw unknownControl(type);
  }
}

function positionsOf(value: unknown): readonly (readonly [stream: string, seq: number])[] {
  if (!Array.isArray(value) || value.length > maxPositions) {
    const given = Array.isArray(value) ? `has ${value.length} places` : `is ${shown(value)}`;
    throw brokenControl(`is broken: positions ${given}; it must be an array of at most ${maxPositions}`);
  }
  return value.map((position: unknown) => {
    if (!Array.isArray(position) || position.length !== 2) {
      throw brokenControl(`is broken: a position is ${shown(position)}; it must be [stream, seq]`);
    }
    return [textField('stream', position[0], 1, maxStreamBytes), numberField('seq', position[1])];
  });
}
