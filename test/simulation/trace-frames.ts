import { type EdgeFrames, type NodeFramesIn, readEdgeFrames, readNodeFrames } from '@pinwheel/protocol';

/** A link message of an edge in words. */
export function traceEdgeFrames(bytes: Uint8Array): string {
  const words: string[] = [];
  const frames: EdgeFrames = {
    hello: (_version, edge) => words.push(`HELLO ${edge}`),
    attach: ({ session, key, user, epoch, handoff, positions, resumes }) => {
      const had = positions.map(({ stream, seq }) => `${stream}:${seq}`);
      words.push(
        `ATTACH #${session} ${key}/${user} epoch ${epoch}${resumes ? ' resumes' : ''} [${had}] ${handoff}`,
      );
    },
    client: (session, frame) => words.push(`CLIENT #${session} no ${Buffer.from(frame).readUInt32LE(1)}`),
    ack: (session, seq) => words.push(`ACK #${session} ${seq}`),
    pause: (session) => words.push(`PAUSE #${session}`),
    continue: (session) => words.push(`CONTINUE #${session}`),
    detach: (session, seq) => words.push(`DETACH #${session} ${seq}`),
    closed: (session, code) => words.push(`CLOSED #${session} ${code}`),
    leave: (session, code) => words.push(`LEAVE #${session} ${code}`),
    ping: (number) => words.push(`PING ${number}`),
    pong: (number) => words.push(`PONG ${number}`),
  };
  readEdgeFrames(bytes, frames);
  return words.join('; ');
}

/** A link message of a node in words. */
export function traceNodeFrames(bytes: Uint8Array): string {
  const words: string[] = [];
  const frames: NodeFramesIn = {
    hello: (_version, node, incarnation) => words.push(`HELLO ${node}/${incarnation}`),
    attached: ({ session, stream, seq, recovered, taken }) =>
      words.push(`ATTACHED #${session} ${stream}:${seq}${recovered ? '' : ' GAP'} taken ${taken}`),
    repin: (session, to, handoff) => words.push(`REPIN #${session} → ${to} ${handoff}`),
    message: (session, seq, _binary, frame) =>
      words.push(`MESSAGE #${session} ${seq} ${Buffer.from(frame.data()).toString()}`),
    reply: (session) => words.push(`REPLY #${session}`),
    taken: (session, number) => words.push(`TAKEN #${session} ${number}`),
    receipt: (session, number, { status }) => words.push(`RECEIPT #${session} ${number} ${status}`),
    close: (session, code) => words.push(`CLOSE #${session} ${code}`),
    ping: (number) => words.push(`PING ${number}`),
    pong: (number) => words.push(`PONG ${number}`),
  };
  readNodeFrames(bytes, frames);
  return words.join('; ');
}
