import { key } from '../../../packages/edge/test/raw-client.js';
import { type Abuse, byParser, changed, withLines } from './abuse.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Requests that are not written as HTTP/1.1 is. */
export const syntaxAbuses: readonly Abuse[] = [
  {
    what: 'a folded header',
    packets: (target) => [withLines(target, 'X-Folded: one', ' two')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a folded key',
    packets: (target) => [changed(target, { 'Sec-WebSocket-Key': `\r\n ${key}` })],
    ...byParser(400, 'close'),
  },
  {
    what: 'lines that end with a bare LF',
    packets: (target) => [changed(target, {}).replaceAll('\r\n', '\n')],
    ...byParser(400, 505),
  },
  {
    what: 'a header behind a bare LF',
    packets: (target) => [withLines(target, 'X-One: 1\nTransfer-Encoding: chunked')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a header behind a bare CR',
    packets: (target) => [withLines(target, 'X-One: 1\rTransfer-Encoding: chunked')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a NUL in a value',
    packets: (target) => [withLines(target, 'X-Nul: a\0b')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a NUL in a name',
    packets: (target) => [withLines(target, 'X-N\0ul: a')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a NUL in the target',
    packets: (target) => [changed(target, {}, `GET ${target}\0 HTTP/1.1`)],
    ...byParser(400, 505),
  },
  {
    what: 'another control character in a value',
    packets: (target) => [withLines(target, 'X-C: a\x01b')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a space in a name',
    packets: (target) => [withLines(target, 'X Y: a')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a space before the colon',
    packets: (target) => [changed(target, { Upgrade: undefined, 'Upgrade ': 'websocket' })],
    ...byParser(400, 'close'),
  },
  {
    what: 'a line without a colon',
    packets: (target) => [withLines(target, 'nothing')],
    ...byParser(400, 'close'),
  },
  {
    what: 'a header without a name',
    packets: (target) => [withLines(target, ': nothing')],
    ...byParser(400, 101),
  },
  {
    what: 'a space before the first header',
    packets: (target) => [changed(target, {}).replace('\r\nHost', '\r\n Host')],
    ...byParser(400, 'close'),
  },
  {
    what: 'bytes above ASCII in a name',
    packets: (target) => [bytes(withLines(target, 'X-\xe9: a'))],
    ...byParser(400, 'close'),
  },
  {
    what: 'a target that is a whole address',
    packets: (target) => [changed(target, {}, `GET http://localhost${target} HTTP/1.1`)],
    ...byParser(404, 505),
  },
  {
    what: 'a whole address of somebody else',
    packets: (target) => [changed(target, {}, `GET http://elsewhere${target} HTTP/1.1`)],
    ...byParser(404, 505),
  },
  {
    what: 'CONNECT to a host',
    packets: (target) => [changed(target, {}, 'CONNECT elsewhere:443 HTTP/1.1')],
    ...byParser('close', 505),
  },
  {
    what: 'CONNECT to a path',
    packets: (target) => [changed(target, {}, `CONNECT ${target} HTTP/1.1`)],
    ...byParser('close', 426),
  },
  {
    what: 'OPTIONS *',
    packets: (target) => [changed(target, {}, 'OPTIONS * HTTP/1.1')],
    ...byParser(400, 505),
  },
  {
    what: 'GET *',
    packets: (target) => [changed(target, {}, 'GET * HTTP/1.1')],
    ...byParser(404, 505),
  },
  {
    what: 'a target without a slash',
    packets: (target) => [changed(target, {}, `GET ${target.slice(1)} HTTP/1.1`)],
    ...byParser(400, 505),
  },
  {
    what: 'a tab in the query',
    packets: (target) => [changed(target, {}, `GET ${target}&x=\t HTTP/1.1`)],
    ...byParser(400, 505),
  },
  ...['\x7f', '\x80', '\xe9', '\xff'].map(
    (byte): Abuse => ({
      what: `the byte ${byte.charCodeAt(0)} in the query`,
      packets: (target) => [changed(target, {}, `GET ${target}&x=${byte} HTTP/1.1`)],
      ...byParser(400, 101),
    }),
  ),
  {
    what: 'a space in the target',
    packets: (target) => [changed(target, {}, `GET ${target}&x= y HTTP/1.1`)],
    ...byParser(400, 505),
  },
  ...['POST', 'HEAD', 'PUT', 'DELETE', 'get', 'TRACE', 'NONSENSE'].map(
    (method): Abuse => ({
      what: `the method ${method}`,
      packets: (target) => [changed(target, {}, `${method} ${target} HTTP/1.1`)],
      ...byParser(400, 426),
    }),
  ),
  ...['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/1.1x', 'HTTX/1.1', ''].map(
    (version): Abuse => ({
      what: `a request line that ends with ${JSON.stringify(version)}`,
      packets: (target) => [changed(target, {}, `GET ${target} ${version}`.trimEnd())],
      ...byParser(400, 505),
    }),
  ),
  {
    what: 'the preface of HTTP/2',
    packets: () => ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ...byParser(400, 505),
  },
  {
    what: 'the hello of TLS',
    packets: () => [
      Buffer.concat([
        Buffer.from([22, 3, 1, 0, 64, 1, 0, 0, 60, 3, 3]),
        Buffer.alloc(58, 7),
        bytes('\r\n\r\n'),
      ]),
    ],
    ...byParser(400, 505),
  },
  {
    what: 'frames without an upgrade',
    packets: () => [Buffer.alloc(4096, 0x81)],
    ...byParser(400, 505),
  },
  {
    what: 'a target of 100 KB',
    packets: (target) => [changed(`${target}&x=${'y'.repeat(100_000)}`, {})],
    // cut within its first line it is not seen to be long
    ...byParser(431, [431, 505]),
  },
  {
    what: 'empty lines before the request',
    packets: (target) => [`\r\n\r\n${changed(target, {})}`],
    ...byParser(101, 'close'),
  },
];
