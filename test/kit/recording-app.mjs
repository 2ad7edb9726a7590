// An application of a node that writes down what clients send, one JSON line each, to the file in PINWHEEL_TEST_RECORD.
// The time is the machine's own, the same for all of its processes.
import { appendFileSync } from 'node:fs';

const file = process.env['PINWHEEL_TEST_RECORD'];

export function onMessage({ user, data, id }) {
  const at = String(process.hrtime.bigint());
  appendFileSync(file, `${JSON.stringify({ user, data: String(data), id, at })}\n`);
}
