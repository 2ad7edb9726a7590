import { key } from '../../../packages/edge/test/raw-client.js';
import { type Abuse, changed, withLines } from './abuse.js';

const all = (status: Abuse['tunnel']) => ({ tunnel: status, link: status, node: status });
/** Where the node says 400 for what edges say 426. */
const versions = { tunnel: 426, link: 426, node: 400 } as const;

/** Headers that say something else than an upgrade to `websocket` of version 13. */
export const headerAbuses: readonly Abuse[] = [
  ...['0', '12', '777', '013', '13, 12', '', 'x'].map(
    (version): Abuse => ({
      what: `version ${JSON.stringify(version)}`,
      packets: (target) => [changed(target, { 'Sec-WebSocket-Version': version })],
      ...versions,
    }),
  ),
  {
    what: 'no version',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Version': undefined })],
    ...versions,
  },
  {
    what: 'two versions',
    packets: (target) => [withLines(target, 'Sec-WebSocket-Version: 12')],
    tunnel: 426,
    link: 400,
    node: 400,
  },
  {
    what: 'h2c',
    packets: (target) => [
      changed(target, {
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: 'h2c',
        'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA',
      }),
    ],
    ...all(400),
  },
  ...['websocket, h2c', 'h2c, websocket', 'websocket, websocket', 'websocket/13', 'web socket', ''].map(
    (upgrade): Abuse => ({
      what: `an upgrade to ${JSON.stringify(upgrade)}`,
      packets: (target) => [changed(target, { Upgrade: upgrade })],
      ...all(400),
    }),
  ),
  {
    what: 'two upgrade headers',
    packets: (target) => [withLines(target, 'Upgrade: h2c')],
    ...all(400),
  },
  {
    what: 'the same upgrade header twice',
    packets: (target) => [withLines(target, 'Upgrade: websocket')],
    ...all(400),
  },
  { what: 'no upgrade header', packets: (target) => [changed(target, { Upgrade: undefined })], ...all(400) },
  ...['keep-alive', 'close', 'upgraded'].map(
    (connection): Abuse => ({
      what: `the connection ${JSON.stringify(connection)}`,
      packets: (target) => [changed(target, { Connection: connection })],
      ...all(400),
    }),
  ),
  // nothing is passed on by an edge with links
  ...['Upgrade, Host', 'Upgrade, Sec-WebSocket-Key'].map(
    (connection): Abuse => ({
      what: `the connection ${JSON.stringify(connection)}`,
      packets: (target) => [changed(target, { Connection: connection })],
      tunnel: 400,
      link: 101,
      node: 101,
    }),
  ),
  {
    what: 'no connection header',
    packets: (target) => [changed(target, { Connection: undefined })],
    ...all(400),
  },
  {
    what: 'no key',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Key': undefined })],
    tunnel: 400,
    link: 426,
    node: 426,
  },
  ...['', 'c2hvcnQ=', 'AAAAAAAAAAAAAAAAAAAA', key.repeat(400)].map(
    (value): Abuse => ({
      what: `the key ${JSON.stringify(value.slice(0, 30))}`,
      packets: (target) => [changed(target, { 'Sec-WebSocket-Key': value })],
      tunnel: 400,
      link: 426,
      node: 426,
    }),
  ),
  {
    what: 'a key of other characters',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Key': '!'.repeat(24) })],
    ...all(400),
  },
  {
    what: 'two keys',
    packets: (target) => [withLines(target, `Sec-WebSocket-Key: ${key}`)],
    ...all(400),
  },
  { what: 'no host', packets: (target) => [changed(target, { Host: undefined })], ...all(400) },
  { what: 'two hosts', packets: (target) => [withLines(target, 'Host: elsewhere')], ...all(400) },
  {
    what: 'a user that only an edge may name',
    packets: (target) => [changed(target, { 'Pinwheel-User': 'root' })],
    ...all(101),
  },
  {
    what: 'the same in another spelling',
    packets: (target) => [withLines(target, 'pinwheel_user: root')],
    tunnel: 101,
    link: 'close',
    node: 'close',
  },
  {
    what: 'a header of 100 KB',
    packets: (target) => [changed(target, { 'X-Long': 'x'.repeat(100_000) })],
    tunnel: 431,
    link: 431,
    node: 413,
  },
  {
    what: '2,000 headers',
    packets: (target) => [withLines(target, ...Array.from({ length: 2000 }, (_, i) => `X-${i}: y`))],
    ...all(431),
  },
  {
    what: '2,000 headers of one name',
    packets: (target) => [withLines(target, ...Array.from({ length: 2000 }, () => 'Upgrade: websocket'))],
    ...all(431),
  },
  {
    what: 'a version in spaces and tabs',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Version': ' \t13 \t' })],
    ...all(101),
  },
];
