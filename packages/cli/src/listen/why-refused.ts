import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { reasonOf } from '@pinwheel/membership';

/** What a server says instead of taking a WebSocket, or why it cannot be asked. */
export interface Refused {
  /** Missing when there was no answer. */
  readonly status?: number;
  readonly text: string;
}

const timeoutMs = 3000;
const maxChars = 300;

/**
 * Asks for the same upgrade once more, because a WebSocket client does not show why it was refused; `undefined` when the
 * server would take it now.
 */
export function whyRefused(
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<Refused | undefined> {
  const ask = url.protocol === 'wss:' ? secureRequest : request;
  const target = new URL(url);
  target.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
  return new Promise((resolve) => {
    const asking = ask(target, {
      headers: {
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'cGlud2hlZWwgbGlzdGVucw==',
      },
      timeout: timeoutMs,
    });
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    asking.on('error', (error) => resolve({ text: reasonOf(error) }));
    asking.on('upgrade', (_, socket) => {
      socket.destroy();
      resolve(undefined);
    });
    asking.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        if (text.length < maxChars) text += chunk;
      });
      response.on('close', () => resolve({ status: response.statusCode ?? 0, text: messageIn(text) }));
    });
    asking.end();
  });
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return text.slice(0, maxChars);
  }
}
