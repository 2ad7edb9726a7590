import t from 'tap';
import {
  maxFingerprintBytes,
  maxHandoffBytes,
  maxKeyBytes,
  maxPositions,
  maxStreamBytes,
} from '../src/field-bounds.js';
import { type AttachRequest, EdgeFrameWriter, NodeFrameWriter, readEdgeFrames } from '../src/index.js';
import { maxUserBytes } from '../src/message.js';
import { edgeRecorder } from './kit/link-calls.js';

const x = (count: number): string => 'x'.repeat(count);

const largest: AttachRequest = {
  session: 1,
  acknowledges: true,
  resumes: true,
  epoch: 1,
  key: x(maxKeyBytes),
  user: x(maxUserBytes),
  fingerprint: x(maxFingerprintBytes),
  handoff: x(maxHandoffBytes),
  positions: Array.from({ length: maxPositions }, (_, seq) => ({ stream: x(maxStreamBytes), seq })),
};

t.test('the largest ATTACH has room wherever it stands', async (t) => {
  for (let before = 0; before < 200; before++) {
    const writer = new EdgeFrameWriter();
    // small ones shift the large ones through the ends of the buffer
    for (let i = 0; i < before; i++) writer.ping(i);
    for (let i = 0; i < 20; i++) writer.attach(largest);
    const { calls, frames } = edgeRecorder();
    readEdgeFrames(writer.take(), frames);
    if (calls.length !== before + 20) t.fail(`${calls.length} frames`);
    t.same(calls.at(-1), ['attach', largest]);
  }
});

t.test('data whose length is no number is refused', async (t) => {
  const nothing = { length: Number.NaN } as Uint8Array;
  t.throws(() => new EdgeFrameWriter().client(1, nothing), { code: 'protocol' });
  t.throws(() => new NodeFrameWriter().reply(1, true, nothing), { code: 'protocol' });
});

t.test('what a burst needed is let go of when eight messages in a row need little of it', async (t) => {
  const writer = new NodeFrameWriter();
  const takeOf = (bytes: number): number => {
    writer.reply(1, true, new Uint8Array(bytes));
    return writer.take().buffer.byteLength;
  };
  const grown = takeOf(1_000_000);
  t.ok(grown >= 1_000_000);
  for (let i = 0; i < 7; i++) t.equal(takeOf(10), grown);
  t.equal(takeOf(500_000), grown, 'one that needs much in between');
  for (let i = 0; i < 8; i++) t.equal(takeOf(10), grown);
  t.equal(takeOf(10), 16_384);
});
