import fc from 'fast-check';
import t from 'tap';
import { closeFrame } from '../src/tunnel/close-frame.js';
import { FrameFollower } from '../src/tunnel/frame-boundary.js';

function frame(opcode: number, length: number, masked = false): Buffer {
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 0xff])
        : Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff]);
  if (masked) head[1]! |= 0x80;
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 7), Buffer.alloc(length, 0x88)]);
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    length: fc.oneof(fc.nat(130), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536, 70_000)),
    masked: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

function chunksOf(stream: Buffer, at: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(at.map((part) => Math.floor(part * stream.length))), stream.length].sort(
    (a, b) => a - b,
  );
  let start = 0;
  return ends.map((end) => {
    const chunk = stream.subarray(start, end);
    start = end;
    return chunk;
  });
}

function boundariesOf(built: readonly Buffer[]): readonly number[] {
  const ends = [0];
  for (const one of built) ends.push(ends.at(-1)! + one.length);
  return ends;
}

t.test('a follower of frames', async (t) => {
  t.test('finds the same boundaries however the stream is cut', async () => {
    fc.assert(
      fc.property(frames, cuts, (list, at) => {
        const built = list.map((one) => frame(one.opcode, one.length, one.masked));
        const boundaries = new Set(boundariesOf(built));
        const follower = new FrameFollower();
        let position = 0;
        for (const chunk of chunksOf(Buffer.concat(built), at)) {
          follower.follow(chunk);
          position += chunk.length;
          if (follower.atBoundary !== boundaries.has(position)) return false;
        }
        return follower.atBoundary && !follower.closeSeen;
      }),
      { numRuns: 500 },
    );
  });

  t.test('finds the same boundaries byte by byte', async () => {
    fc.assert(
      fc.property(frames, (list) => {
        const short = list.map((one) => frame(one.opcode, one.length % 200, one.masked));
        const boundaries = new Set(boundariesOf(short));
        const follower = new FrameFollower();
        return [...Buffer.concat(short)].every((byte, i) => {
          follower.follow(Buffer.from([byte]));
          return follower.atBoundary === boundaries.has(i + 1);
        });
      }),
    );
  });

  t.test('stops at the end of the current frame, wherever the chunks end', async () => {
    fc.assert(
      fc.property(frames, cuts, fc.double({ min: 0, max: 1, noNaN: true }), (list, at, part) => {
        const built = list.map((one) => frame(one.opcode, one.length, one.masked));
        const stream = Buffer.concat(built);
        const boundaries = boundariesOf(built);
        const asked = Math.floor(part * stream.length);
        const follower = new FrameFollower();
        follower.follow(stream.subarray(0, asked));
        const expected = boundaries.find((boundary) => boundary >= asked)!;
        let position = asked;
        for (const chunk of chunksOf(stream.subarray(asked), at)) {
          const end = follower.followToBoundary(chunk);
          if (end >= 0) return position + end === expected;
          position += chunk.length;
        }
        return false;
      }),
      { numRuns: 500 },
    );
  });

  t.test('sees a close frame, also when its header is cut in two', async (t) => {
    const stream = Buffer.concat([frame(2, 300), closeFrame(1000, 'bye')]);
    const whole = new FrameFollower();
    whole.follow(stream);
    t.equal(whole.closeSeen, true);
    const cut = new FrameFollower();
    cut.follow(stream.subarray(0, 304));
    t.equal(cut.closeSeen, false);
    cut.follow(stream.subarray(304, 305));
    t.same([cut.closeSeen, cut.atBoundary], [true, false]);
    cut.follow(stream.subarray(305));
    t.same([cut.closeSeen, cut.atBoundary], [true, true]);
  });

  t.test('finds where a close frame begins, wherever the chunks end', async () => {
    fc.assert(
      fc.property(frames, cuts, (list, at) => {
        const before = Buffer.concat(list.map((one) => frame(one.opcode, one.length, one.masked)));
        const stream = Buffer.concat([before, closeFrame(1001, 'bye'), frame(1, 5)]);
        const follower = new FrameFollower();
        let position = 0;
        for (const chunk of chunksOf(stream, at)) {
          const start = follower.followToClose(chunk);
          if (start >= 0) return position + start === before.length;
          position += chunk.length;
        }
        return false;
      }),
      { numRuns: 500 },
    );
  });

  t.test('never comes to a boundary in a frame of absurd length', async (t) => {
    const follower = new FrameFollower();
    follower.follow(Buffer.concat([Buffer.from([0x82, 127]), Buffer.alloc(8, 0xff), Buffer.alloc(1000)]));
    t.equal(follower.atBoundary, false);
    t.equal(follower.followToBoundary(Buffer.alloc(100_000)), -1);
  });
});

t.test('a close frame', async (t) => {
  t.same(closeFrame(4000, 'x'), Buffer.from([0x88, 3, 0x0f, 0xa0, 0x78]));
  t.equal(closeFrame(4000, 'é'.repeat(61)).length, 126);
  t.throws(() => closeFrame(4000, 'é'.repeat(62)), {
    message: 'close reason has 124 bytes; it must have at most 123',
  });
  t.throws(() => closeFrame(999, ''), { message: 'close code is 999; it must be between 1000 and 4999' });
});
