import { type AddressInfo, createServer } from 'node:net';
import { staticMembership } from '@pinwheel/membership';
import type { Receipt } from '@pinwheel/protocol';
import { createSender } from '@pinwheel/sender';
import { openStrategy, type Strategy } from '@pinwheel/strategy';
import { answerParent } from '../load/answer-parent.js';
import { sharedMicros } from '../load/arrivals.js';
import { maxMessages, numberedMessage } from '../load/message-number.js';
import { MessageNumbers } from '../load/message-numbers.js';
import { anyOf, userNames } from '../load/users.js';
import {
  type Begun,
  receiptMeaning,
  type SenderProcessOptions,
  type SenderQuestion,
  type SenderUsage,
} from './sender-questions.js';

const tickMs = 1;
/** A message that has been lost must not take its place for ever. */
const stuckMs = 500;
/** A sender's default. */
const leastQueuedBytes = 67_108_864;

const options = JSON.parse(process.argv[2]!) as SenderProcessOptions;
const { strategy: opened } = openStrategy(options.strategy);
const strategy: Strategy =
  opened.name === 'broadcast' && options.maxMessagesPerPost !== undefined
    ? { ...opened, maxMessagesPerPost: options.maxMessagesPerPost }
    : opened;
const sender = createSender({
  strategy,
  membership: staticMembership(options.members, { pollMs: 30_000 }),
  maxQueuedBytes: Math.max(leastQueuedBytes, 2 * options.outstanding * options.payloadBytes),
});
await sender.ready();

const nextUser = anyOf(userNames(options.users));
const statuses = new Uint8Array(maxMessages);
const numbers = new MessageNumbers();
let sent = 0;
let answered = 0;
/** How many messages have come to clients, as they say themselves. */
let arrived = 0;
let timer: NodeJS.Timeout | undefined;
/** Why it sends no more. */
let failure: unknown;

/** Clients say how many messages they have: a message is on its way until it has come, whatever its receipt says. */
const feedback = createServer((socket) => {
  socket.on('data', (bytes) => {
    if (bytes.length >= 8) arrived = bytes.readDoubleLE(bytes.length - 8);
  });
});
await new Promise<void>((resolve) => feedback.listen(0, '127.0.0.1', resolve));

function send(): void {
  const number = numbers.take();
  sent++;
  const settle = (receipt: Receipt): void => {
    answered++;
    statuses[number] = meaningOf(receipt);
  };
  void sender.send(nextUser(), numberedMessage(number, options.payloadBytes)).then(settle);
}

function meaningOf({ status, error }: Receipt): number {
  if (status === 'delivered' || status === 'queued' || status === 'published') return receiptMeaning.taken;
  const isInDoubt = error?.code === 'unknown-outcome' || error?.code === 'deadline';
  return isInDoubt ? receiptMeaning.inDoubt : receiptMeaning.refused;
}

/** What it throws is the answer to `end`. */
function everyTick(work: () => void): void {
  timer = setInterval(() => {
    try {
      work();
    } catch (thrown) {
      failure = thrown;
      clearInterval(timer);
    }
  }, tickMs);
}

/** At a fixed rate, whatever becomes of them. */
function beginSteady(perSecond: number): Begun {
  const from = sent;
  const startMicros = sharedMicros();
  everyTick(() => {
    const due = ((sharedMicros() - startMicros) / 1e6) * perSecond;
    while (sent - from < due) send();
  });
  return { from, startMicros };
}

/** So many on their way at any time. */
function beginSaturation(outstanding: number): Begun {
  const from = sent;
  let lost = sent - arrived;
  let lastArrived = arrived;
  let movedAt = performance.now();
  everyTick(() => {
    const now = performance.now();
    if (arrived !== lastArrived) movedAt = now;
    else if (now - movedAt > stuckMs) lost = sent - arrived;
    lastArrived = arrived;
    // what was lost before counts no more; what is queued here already is not added to
    const room = outstanding - Math.max(sent - arrived - lost, sent - answered);
    for (let i = 0; i < room; i++) send();
  });
  return { from, startMicros: sharedMicros() };
}

async function end(): Promise<number> {
  clearInterval(timer);
  if (failure !== undefined) throw failure;
  while (answered < sent) await new Promise((resolve) => setTimeout(resolve, tickMs));
  return sent;
}

function usage(): SenderUsage {
  const { user, system } = process.cpuUsage();
  const { copies, bytes } = sender.counters().traffic;
  return { cpuMicros: user + system, memoryBytes: process.memoryUsage.rss(), copies, bytes };
}

async function answer(question: SenderQuestion): Promise<unknown> {
  switch (question.kind) {
    case 'feedback-port':
      return (feedback.address() as AddressInfo).port;
    case 'steady':
      return beginSteady(question.perSecond);
    case 'saturation':
      return beginSaturation(question.outstanding);
    case 'end':
      return end();
    case 'usage':
      return usage();
    case 'statuses':
      return statuses.slice(question.from, question.to);
    default:
      throw new TypeError(`unknown question ${question satisfies never}`);
  }
}

answerParent(answer);
