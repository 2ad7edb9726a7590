import { until } from '../../../test/kit/until.js';

/** Waits for a line of the edge's metrics: a tunnel has ended when both of its sockets have, and a test sees one. */
export async function untilCounted(edge: { metrics(): Promise<string> }, line: string): Promise<void> {
  await until(`the edge says ${line}`, async () => (await edge.metrics()).split('\n').includes(line));
}
