import { PinwheelError, parseUserId } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { Listener } from '../listener.js';
import { options } from '../options.js';
import type { Settings } from '../settings.js';
import { untilSignal } from '../signals.js';

const defaultEdge = 'ws://127.0.0.1:8080/ws';

export const listenCommand: Command = {
  name: 'listen',
  words: ['USER'],
  summary: 'connects as a user and prints what arrives; reconnects as told; lines from stdin are sent',
  options: [options.edgeSocket, options.token, { ...options.json, help: 'messages as JSON' }],
  run: listen,
};

async function listen({ settings, words, output }: Invocation): Promise<number> {
  const url = new URL(settings.text(options.edgeSocket) ?? defaultEdge);
  url.searchParams.set('user', parseUserId(words[0]));
  const listener = new Listener(url, tokenIn(settings), output);
  const stop = async (): Promise<void> => listener.stop();
  await untilSignal(async () => ({ ended: listener.ended, leave: stop, cut: stop }));
  return listener.exitCode;
}

/** One read from a file ends with a line break. What is wrong with it is said without a character of it. */
function tokenIn(settings: Settings): string | undefined {
  const token = settings.text(options.token)?.trim();
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new PinwheelError('bad-option', 'the token has characters that no token has');
}
