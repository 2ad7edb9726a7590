import { PinwheelError, parseUserId } from '@pinwheel/protocol';
import type { Command, Invocation } from '../command.js';
import { Listener } from '../listen/listener.js';
import { subjectOf } from '../listen/subject-of.js';
import { sayEvent } from '../output/say-event.js';
import { untilSignal } from '../process/signals.js';
import { options } from '../settings/options.js';
import type { Settings } from '../settings/settings.js';

const defaultEdge = 'ws://127.0.0.1:8080/ws';

export const listenCommand: Command = {
  name: 'listen',
  words: ['USER'],
  summary: 'connects as a user and prints what arrives; reconnects as told; lines from stdin are sent',
  options: [options.edgeSocket, options.token, { ...options.json, help: 'messages as JSON' }],
  run: listen,
};

async function listen({ settings, words, output }: Invocation): Promise<number> {
  const url = edgeIn(settings);
  const user = parseUserId(words[0]);
  url.searchParams.set('user', user);
  const token = tokenIn(settings);
  warnOfOther(user, token ?? url.searchParams.get('token') ?? '');
  const listener = new Listener(url, token, output);
  const stop = async (): Promise<void> => listener.stop();
  await untilSignal(async () => ({ ended: listener.ended, leave: stop, cut: stop }));
  return listener.exitCode;
}

/** An edge takes clients at `/ws`, unless it was told otherwise. */
function edgeIn(settings: Settings): URL {
  const given = settings.text(options.edgeSocket) ?? defaultEdge;
  const url = new URL(given);
  if (/^\w+:\/\/[^/?#]*([?#]|$)/.test(given)) url.pathname = '/ws';
  return url;
}

/** An edge that goes by tokens lets in whom the token names, whatever else is said. */
function warnOfOther(user: string, token: string): void {
  const subject = subjectOf(token);
  if (subject === undefined || subject === user) return;
  sayEvent(
    { event: 'warning', user, subject, why: 'the token names another user' },
    `warning: the token names ${subject}: where clients are known by their tokens, this listens as ${subject} and not as ${user}`,
  );
}

/** One read from a file ends with a line break. What is wrong with it is said without a character of it. */
function tokenIn(settings: Settings): string | undefined {
  const token = settings.text(options.token)?.trim();
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new PinwheelError('bad-option', 'the token has characters that no token has');
}
