import { clientFrame } from '../../../packages/edge/test/raw-client.js';
import { type Abuse, byParser, changed, everywhere, withLines } from './abuse.js';

/** A request that must never be read as one, behind or inside an upgrade. */
const smuggled = 'GET /v1/users/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

/** Bodies, lengths and codings, and what comes before and behind an upgrade. */
export const framingAbuses: readonly Abuse[] = [
  {
    what: 'a body in the same packet',
    packets: (target) => [`${changed(target, { 'Content-Length': '5' })}hello`],
    ...everywhere(400),
  },
  {
    what: 'a body in the next packet',
    packets: (target) => [changed(target, { 'Content-Length': '5' }), 'hello'],
    ...everywhere(400),
  },
  {
    what: 'a body that never comes',
    packets: (target) => [changed(target, { 'Content-Length': '5' })],
    ...everywhere(400),
  },
  {
    what: 'a body that is a request',
    packets: (target) => [`${changed(target, { 'Content-Length': String(smuggled.length) })}${smuggled}`],
    ...everywhere(400),
  },
  {
    what: 'a length of nothing, with a request behind it',
    packets: (target) => [`${changed(target, { 'Content-Length': '0' })}${smuggled}`],
    ...byParser(400, 101),
  },
  {
    what: 'a request in a chunk',
    packets: (target) => [
      `${changed(target, { 'Transfer-Encoding': 'chunked' })}${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ],
    ...everywhere(400),
  },
  {
    what: 'an empty body in chunks, with a request behind it',
    packets: (target) => [`${changed(target, { 'Transfer-Encoding': 'chunked' })}0\r\n\r\n${smuggled}`],
    ...everywhere(400),
  },
  {
    what: 'chunks and a length',
    packets: (target) => [
      `${changed(target, { 'Transfer-Encoding': 'chunked', 'Content-Length': '4' })}0\r\n\r\n${smuggled}`,
    ],
    ...everywhere(400),
  },
  ...['identity', 'chunked, identity', 'xchunked', '\tchunked', 'chunked;q=1'].map(
    (coding): Abuse => ({
      what: `the coding ${JSON.stringify(coding)}`,
      packets: (target) => [`${changed(target, { 'Transfer-Encoding': coding })}0\r\n\r\n${smuggled}`],
      ...everywhere(400),
    }),
  ),
  {
    what: 'an empty coding, with a request behind it',
    packets: (target) => [`${changed(target, { 'Transfer-Encoding': '' })}${smuggled}`],
    ...everywhere(400),
  },
  ...['+5', '-1', '5, 5', '0x5', '5 5', '99999999999999999999', 'five'].map(
    (length): Abuse => ({
      what: `the length ${JSON.stringify(length)}`,
      packets: (target) => [`${changed(target, { 'Content-Length': length })}${smuggled}`],
      ...everywhere(400),
    }),
  ),
  {
    what: 'two lengths',
    packets: (target) => [`${withLines(target, 'Content-Length: 0', 'Content-Length: 43')}${smuggled}`],
    ...everywhere(400),
  },
  {
    what: 'the same length twice',
    packets: (target) => [`${withLines(target, 'Content-Length: 0', 'Content-Length: 0')}${smuggled}`],
    ...everywhere(400),
  },
  {
    what: 'a space before the colon of a coding',
    packets: (target) => [`${withLines(target, 'Transfer-Encoding : chunked')}0\r\n\r\n${smuggled}`],
    ...byParser(400, 'close'),
  },
  {
    what: 'a second request in the same packet',
    packets: (target) => [`${changed(target, {})}${smuggled}`],
    ...everywhere(101),
  },
  {
    what: 'a second request before the 101',
    packets: (target) => [changed(target, {}), smuggled],
    ...everywhere(101),
  },
  {
    what: 'a second upgrade in the same packet',
    packets: (target) => [changed(target, {}) + changed(target, {})],
    ...everywhere(101),
  },
  {
    what: 'frames in the same packet',
    packets: (target) => [Buffer.concat([Buffer.from(changed(target, {})), clientFrame('early')])],
    ...everywhere(101),
  },
  {
    what: 'a second request behind an upgrade that is refused',
    packets: (target) => [`${changed(target, { 'Sec-WebSocket-Version': '12' })}${smuggled}`],
    ...everywhere(426),
  },
  {
    what: 'a request before the upgrade in the same packet',
    packets: (target) => [`GET ${target}&first HTTP/1.1\r\nHost: x\r\n\r\n${changed(target, {})}`],
    ...byParser('close', 426),
  },
  {
    what: 'a request with a body that is an upgrade',
    packets: (target) => {
      const body = changed(target, {});
      return [`POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`];
    },
    tunnel: 400,
    link: 404,
    node: 426,
  },
  {
    what: 'a request that waits for 100 Continue',
    packets: (target) => [changed(target, { Expect: '100-continue' }), smuggled],
    ...byParser(101, 100),
  },
];
