import { key } from '../../../packages/edge/test/raw-client.js';
import { type Abuse, byParser, changed, everywhere, withLines } from './abuse.js';

/** Headers that say something else than an upgrade to `websocket` of version 13. */
export const headerAbuses: readonly Abuse[] = [
  ...['0', '12', '777', '013', '13, 12', '', 'x'].map(
    (version): Abuse => ({
      what: `version ${JSON.stringify(version)}`,
      packets: (target) => [changed(target, { 'Sec-WebSocket-Version': version })],
      ...everywhere(426),
    }),
  ),
  {
    what: 'no version',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Version': undefined })],
    ...everywhere(426),
  },
  {
    what: 'two versions',
    packets: (target) => [withLines(target, 'Sec-WebSocket-Version: 12')],
    ...byParser(426, 400),
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
    ...everywhere(400),
  },
  ...['websocket, h2c', 'h2c, websocket', 'websocket, websocket', 'websocket/13', 'web socket', ''].map(
    (upgrade): Abuse => ({
      what: `an upgrade to ${JSON.stringify(upgrade)}`,
      packets: (target) => [changed(target, { Upgrade: upgrade })],
      ...everywhere(400),
    }),
  ),
  {
    what: 'two upgrade headers',
    packets: (target) => [withLines(target, 'Upgrade: h2c')],
    ...everywhere(400),
  },
  {
    what: 'the same upgrade header twice',
    packets: (target) => [withLines(target, 'Upgrade: websocket')],
    ...everywhere(400),
  },
  {
    what: 'no upgrade header',
    packets: (target) => [changed(target, { Upgrade: undefined })],
    ...everywhere(400),
  },
  ...['keep-alive', 'close', 'upgraded'].map(
    (connection): Abuse => ({
      what: `the connection ${JSON.stringify(connection)}`,
      packets: (target) => [changed(target, { Connection: connection })],
      ...everywhere(400),
    }),
  ),
  // nothing is passed on by an edge with links
  ...['Upgrade, Host', 'Upgrade, Sec-WebSocket-Key'].map(
    (connection): Abuse => ({
      what: `the connection ${JSON.stringify(connection)}`,
      packets: (target) => [changed(target, { Connection: connection })],
      ...byParser(400, 101),
    }),
  ),
  {
    what: 'no connection header',
    packets: (target) => [changed(target, { Connection: undefined })],
    ...everywhere(400),
  },
  {
    what: 'no key',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Key': undefined })],
    ...byParser(400, 426),
  },
  ...['', 'c2hvcnQ=', 'AAAAAAAAAAAAAAAAAAAA', key.repeat(400)].map(
    (value): Abuse => ({
      what: `the key ${JSON.stringify(value.slice(0, 30))}`,
      packets: (target) => [changed(target, { 'Sec-WebSocket-Key': value })],
      ...byParser(400, 426),
    }),
  ),
  {
    what: 'a key of other characters',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Key': '!'.repeat(24) })],
    ...everywhere(400),
  },
  {
    what: 'two keys',
    packets: (target) => [withLines(target, `Sec-WebSocket-Key: ${key}`)],
    ...everywhere(400),
  },
  { what: 'no host', packets: (target) => [changed(target, { Host: undefined })], ...everywhere(400) },
  { what: 'two hosts', packets: (target) => [withLines(target, 'Host: elsewhere')], ...everywhere(400) },
  {
    what: 'a user that only an edge may name',
    packets: (target) => [changed(target, { 'Pinwheel-User': 'root' })],
    ...everywhere(101),
  },
  {
    what: 'the same in another spelling',
    packets: (target) => [withLines(target, 'pinwheel_user: root')],
    ...byParser(101, 'close'),
  },
  ...['x_y', 'x.y', 'x~y'].map(
    (name): Abuse => ({
      what: `the header ${name}, which uWebSockets.js does not read`,
      packets: (target) => [withLines(target, `${name}: 1`)],
      ...byParser(400, 'close'),
    }),
  ),
  {
    what: 'a header of 100 KB',
    packets: (target) => [changed(target, { 'X-Long': 'x'.repeat(100_000) })],
    ...everywhere(431),
  },
  {
    what: '2,000 headers',
    packets: (target) => [withLines(target, ...Array.from({ length: 2000 }, (_, i) => `X-${i}: y`))],
    ...everywhere(431),
  },
  {
    what: '2,000 headers of one name',
    packets: (target) => [withLines(target, ...Array.from({ length: 2000 }, () => 'Upgrade: websocket'))],
    ...everywhere(431),
  },
  {
    what: 'a version in spaces and tabs',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Version': ' \t13 \t' })],
    ...everywhere(101),
  },
];
