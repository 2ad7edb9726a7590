import { key } from '../../../packages/edge/test/raw-client.js';

/** The HTTP status of the first answer, or a close without a byte. */
export type Outcome = number | 'close';

/** What a client sends in place of a proper upgrade, and what becomes of it. */
export interface Abuse {
  readonly what: string;
  /** What it writes, the second when the first has been read. `target` names a user of this abuse alone. */
  readonly packets: (target: string) => readonly (string | Buffer)[];
  /** At an edge with tunnels. A backend sees nothing of it, unless this is 101: then one rebuilt upgrade. */
  readonly tunnel: Outcome;
  /** At an edge with links; several where it depends on how much of it comes at once. */
  readonly link: Outcome | readonly Outcome[];
  /** At a node's own port. */
  readonly node: Outcome | readonly Outcome[];
}

type Outcomes = Pick<Abuse, 'tunnel' | 'link' | 'node'>;

/** The same at every server. */
export function everywhere(outcome: Outcome): Outcomes {
  return { tunnel: outcome, link: outcome, node: outcome };
}

/** At an edge with tunnels, which has node:http, and at the two servers that have uWebSockets.js. */
export function byParser(nodeHttp: Outcome, uWebSockets: Abuse['link']): Outcomes {
  return { tunnel: nodeHttp, link: uWebSockets, node: uWebSockets };
}

type Headers = readonly (readonly [name: string, value: string])[];

const proper: Headers = [
  ['Host', 'localhost'],
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', key],
];

/** A proper upgrade with headers changed; `undefined` takes one out. */
export function changed(
  target: string,
  changes: Readonly<Record<string, string | undefined>>,
  line = `GET ${target} HTTP/1.1`,
): string {
  const names = new Set(Object.keys(changes).map((name) => name.toLowerCase()));
  const kept = proper.filter(([name]) => !names.has(name.toLowerCase()));
  const added = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return written(line, [...kept, ...added]);
}

/** A proper upgrade with lines behind its headers as they are. */
export function withLines(target: string, ...lines: readonly string[]): string {
  const head = proper.map(([name, value]) => `${name}: ${value}`);
  return `${[`GET ${target} HTTP/1.1`, ...head, ...lines].join('\r\n')}\r\n\r\n`;
}

function written(line: string, headers: Headers): string {
  return `${[line, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`;
}
