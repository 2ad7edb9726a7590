import { type RingTracker, reasonOf } from '@pinwheel/membership';
import {
  headers,
  isErrorCode,
  isMessageId,
  PinwheelError,
  parseUserId,
  type Receipt,
  type ReceiptStatus,
  withoutSecret,
} from '@pinwheel/protocol';
import { createSender, originOf, type SenderOptions } from '@pinwheel/sender';
import { Client } from 'undici';
import type { Command, Invocation } from '../command.js';
import { counted } from '../output/output.js';
import { Credentials } from '../service/credentials.js';
import { refuseAllIgnored, whyAllIgnored } from '../service/ignored-members.js';
import { keyAdvice } from '../service/key-advice.js';
import { idOf, type Refusal, refusalOf, saidIn } from '../service/nodes-of.js';
import { ringOptions, withRing } from '../service/open-ring.js';
import { given } from '../settings/given.js';
import { openNamedStrategy, strategyName, strategyOptions } from '../settings/open-strategy.js';
import { options } from '../settings/options.js';
import type { Settings } from '../settings/settings.js';

/** By the status of the receipt; anything else is 1. */
const exitCodes: Readonly<Partial<Record<ReceiptStatus, number>>> = {
  delivered: 0,
  queued: 3,
  offline: 4,
  published: 5,
};
const defaultDeadlineMs = 5000;
/** An answer at the very end of its time has a way to go. */
const slackMs = 500;

export const sendCommand: Command = {
  name: 'send',
  words: ['USER', 'DATA'],
  summary: 'one message; exit code 0 delivered, 3 queued, 4 offline, 5 published, 1 anything else',
  options: [
    ...ringOptions,
    ...strategyOptions,
    options.node,
    options.messageId,
    options.binary,
    options.wait,
    options.deadlineMs,
    options.json,
  ],
  run: send,
};

async function send(invocation: Invocation): Promise<number> {
  const { settings, output } = invocation;
  const node = settings.text(options.node);
  checkId(settings);
  const receipt = node === undefined ? await sendByStrategy(invocation) : await sendThrough(node, invocation);
  output.result(receipt, describe(receipt, settings.text(options.wait) !== undefined));
  return exitCodes[receipt.status] ?? 1;
}

function checkId(settings: Settings): void {
  const id = settings.text(options.messageId);
  if (id === undefined || isMessageId(id)) return;
  const wanted = '1 to 64 printable ASCII characters, without a space';
  throw new PinwheelError('bad-option', `--id is ${JSON.stringify(id)}; it must be ${wanted}`);
}

/** Only the ring has to know the members. */
async function sendByStrategy(invocation: Invocation): Promise<Receipt> {
  const { settings } = invocation;
  const { strategy, close } = openNamedStrategy(settings);
  try {
    if (strategyName(settings) !== 'ring') return await sendBy({ strategy }, invocation);
    return await withRing(settings, async ({ tracker, credentials }) => {
      // a sender speaks to nodes as a process of the service does
      if (credentials.isApiKey) return sendThrough(ownersNode(tracker, invocation), invocation);
      const receipt = await sendBy({ strategy, tracker, ...given('keys', credentials.keys) }, invocation);
      return explained(receipt, tracker);
    });
  } finally {
    await close();
  }
}

async function sendBy(source: SenderOptions, { settings, words }: Invocation): Promise<Receipt> {
  const [user, data] = words as [string, string];
  const sender = createSender({ ...source, ...given('deadlineMs', settings.number(options.deadlineMs)) });
  try {
    return await sender.send(user, data, {
      binary: settings.flag(options.binary),
      ...given('id', settings.text(options.messageId)),
      ...(settings.text(options.wait) === undefined ? {} : { wait: 'client' }),
    });
  } finally {
    await sender.close();
  }
}

/** What a sender says is for a program: a person hears how the command line has to be. */
function explained(receipt: Receipt, tracker: RingTracker): Receipt {
  const { error } = receipt;
  if (error === undefined) return receipt;
  // what may have been delivered was sent to somebody
  const whyNobody = error.code === 'unknown-outcome' ? undefined : whyAllIgnored(tracker);
  return { ...receipt, error: { ...error, message: whyNobody ?? keyAdvice(error.message) } };
}

function ownersNode(tracker: RingTracker, { words }: Invocation): string {
  refuseAllIgnored(tracker);
  const { ring, members } = tracker.current;
  const [user] = words as [string, string];
  const owner = members.get(ring.owner(parseUserId(user)) ?? '');
  if (owner !== undefined) return originOf(owner);
  throw new PinwheelError('unavailable', 'the ring has no owner for this user; is there a node?');
}

async function sendThrough(url: string, { settings, words }: Invocation): Promise<Receipt> {
  const node = withoutSecret(url);
  const [user, data] = words as [string, string];
  const id = settings.text(options.messageId);
  const wait = settings.text(options.wait);
  const deadlineMs = settings.number(options.deadlineMs) ?? defaultDeadlineMs;
  // not through URL, which takes the users . and .. for steps of the path
  const path = `/v1/users/${encodeURIComponent(parseUserId(user))}/messages`;
  const named = {
    'content-type': settings.flag(options.binary) ? 'application/octet-stream' : 'text/plain',
    [headers.deadlineMs]: String(deadlineMs),
    ...(id === undefined ? {} : { [headers.messageId]: id }),
    ...(wait === undefined ? {} : { [headers.wait]: wait }),
  };
  const credentials = Credentials.of(settings);
  const to = credentials.needsId ? await idOf(url) : '';
  const client = new Client(new URL(url).origin);
  let isConnected = false;
  client.once('connect', () => {
    isConnected = true;
  });
  try {
    const call = client.request({
      path,
      method: 'POST',
      headers: credentials.headers({ method: 'POST', target: path, to }, named, data),
      body: data,
      signal: AbortSignal.timeout(deadlineMs + slackMs),
    });
    const answer = await call.catch((cause: Error) => {
      throw unanswered(node, cause, isConnected);
    });
    const said = await saidIn<Receipt & Refusal>(node, answer).catch((cause: Error) => {
      if (answer.statusCode >= 400 && answer.statusCode < 500) throw cause;
      // its answer is cut, or of somebody in between
      throw inDoubt(cause.message, cause);
    });
    if (typeof said.status === 'string' && said.user !== undefined) return said;
    // a node has a code for what it has not taken; this is of somebody in between
    if (answer.statusCode >= 500 && !isErrorCode(said.error?.code))
      throw inDoubt(`${node} answered ${answer.statusCode} without a receipt`);
    throw refusalOf(node, answer.statusCode, { error: said.error ?? { message: 'no receipt' } });
  } finally {
    await client.destroy();
  }
}

/** @param isConnected from then on the message may have been written. */
function unanswered(node: string, cause: Error, isConnected: boolean): PinwheelError {
  const reason = reasonOf(cause);
  if (isConnected) return inDoubt(`node ${node} did not answer: ${reason}`, cause);
  const why = `node ${node} cannot be reached: ${reason}; is its API there?`;
  return new PinwheelError('unreachable', why, { cause });
}

function inDoubt(why: string, cause?: Error): PinwheelError {
  return new PinwheelError('unknown-outcome', `${why}; the message may have been delivered`, { cause });
}

function describe(receipt: Receipt, waited: boolean): string {
  switch (receipt.status) {
    case 'delivered': {
      const sessions = `${counted(receipt.sessions ?? 0, 'session')} of ${receipt.user}`;
      if (!waited) return `delivered to ${sessions}`;
      return `acknowledged by ${sessions}${receipt.error === undefined ? '' : `; ${receipt.error.message}`}`;
    }
    case 'not-owner':
      return `not-owner: the node would send it to ${receipt.owner}`;
    default:
      return receipt.error === undefined ? receipt.status : `${receipt.status}: ${receipt.error.message}`;
  }
}
