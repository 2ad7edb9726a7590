import { connect, type Socket } from 'node:net';
import { createRingTracker, staticMembership } from '@pinwheel/membership';
import { answerParent } from '../load/answer-parent.js';
import { Arrivals } from '../load/arrivals.js';
import type { RawTarget } from '../load/raw-client.js';
import { ReturningClients } from '../load/returning-clients.js';
import { latenciesOf, slicesOf } from './arrival-times.js';
import type { ClientsProcessOptions, ClientsQuestion, ClientsUsage } from './clients-questions.js';

const feedbackMs = 2;
/** And a millisecond for each user. */
const connectMs = 60_000;
/** Local addresses that take turns, because one has 28,000 ports for each port that it connects to. */
const localAddresses = 8;

const options = JSON.parse(process.argv[2]!) as ClientsProcessOptions;
const arrivals = new Arrivals(options.payloadBytes);
const clients = new ReturningClients({ arrivals, targetOf: await targets() });

let feedback: Socket | undefined;
let isFeedbackWanted = false;
let told = 0;

function connectFeedback(port: number): void {
  feedback = connect(port, '127.0.0.1').setNoDelay();
  feedback.on('error', () => {});
  setInterval(() => {
    if (isFeedbackWanted) tell();
  }, feedbackMs);
}

function tell(): void {
  if (arrivals.received === told) return;
  told = arrivals.received;
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(told);
  feedback?.write(bytes);
}

async function targets(): Promise<(user: string, failures: number) => RawTarget | undefined> {
  const { way, isAnywhere } = options;
  let opened = 0;
  const local = (): string => `127.0.0.${2 + (opened++ % localAddresses)}`;
  if ('ports' in way) {
    const { ports } = way;
    return (user) => ({ port: ports[opened % ports.length]!, user, localAddress: local() });
  }
  const tracker = createRingTracker({ membership: staticMembership(way.members, { pollMs: 30_000 }) });
  await tracker.start();
  return (user, failures) => {
    const { ring, members } = tracker.current;
    const anyNode = ring.members[Math.floor(Math.random() * ring.members.length)]?.id;
    const id = isAnywhere && failures > 0 ? anyNode : ring.owner(user);
    const port = id === undefined ? undefined : members.get(id)?.wsPort;
    if (port === undefined) return undefined;
    return { port, user, fingerprint: ring.fingerprint, localAddress: local() };
  };
}

function usage(): ClientsUsage {
  const { user, system } = process.cpuUsage();
  const closed = clients.closed.map((one) => one.user);
  return {
    received: arrivals.received,
    connected: clients.connected,
    closed,
    cpuMicros: user + system,
  };
}

async function connectWithin(ms: number, users: readonly string[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const { connected, refused } = clients;
      const why = `${connected} of ${users.length} users are connected after ${Math.round(ms / 1000)} s`;
      reject(
        new Error(`${why}; ${refused} tries were refused: fewer users, or a higher limit of open files`),
      );
    }, ms);
  });
  await Promise.race([clients.connect(users), late]).finally(() => clearTimeout(timer));
}

async function answer(question: ClientsQuestion): Promise<unknown> {
  switch (question.kind) {
    case 'connect':
      connectFeedback(question.feedbackPort);
      await connectWithin(connectMs + question.users.length, question.users);
      return clients.connected;
    case 'feedback':
      isFeedbackWanted = question.isWanted;
      tell();
      return told;
    case 'usage':
      return usage();
    case 'counts':
      return arrivals.counts.slice(question.from, question.to);
    case 'latencies':
      return latenciesOf(arrivals, question);
    case 'timeline':
      return slicesOf(arrivals, question, question.slicesPerSecond);
    default:
      throw new TypeError(`unknown question ${question satisfies never}`);
  }
}

answerParent(answer);
