/** Bytes before a frame's body: its type and the body's length. */
export const frameHeadBytes = 5;

/** The first byte of what an edge says; PROTOCOL.md has the bodies. */
export const edgeFrameTypes = {
  hello: 1,
  attach: 2,
  client: 3,
  ack: 4,
  pause: 5,
  continue: 6,
  detach: 7,
  closed: 8,
  ping: 9,
  pong: 10,
  leave: 11,
} as const;

/** The first byte of what a node says. */
export const nodeFrameTypes = {
  hello: 129,
  attached: 130,
  repin: 131,
  message: 132,
  reply: 133,
  taken: 134,
  receipt: 135,
  close: 136,
  ping: 137,
  pong: 138,
} as const;

export const attachFlags = { acknowledges: 1, resumes: 2 } as const;
export const attachedFlags = { recovered: 1 } as const;

const names = new Map<number, string>(
  [...Object.entries(edgeFrameTypes), ...Object.entries(nodeFrameTypes)].map(([name, type]) => [
    type,
    name.toUpperCase(),
  ]),
);

/** A frame's name as PROTOCOL.md and errors give it. */
export function frameName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}
