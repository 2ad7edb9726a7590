import { parseUserId } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { Listener } from '../listener.js';
import { options } from '../options.js';
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
  const listener = new Listener(url, settings.text(options.token), output);
  const stop = async (): Promise<void> => listener.stop();
  await untilSignal(async () => ({ ended: listener.ended, leave: stop, cut: stop }));
  return listener.exitCode;
}
