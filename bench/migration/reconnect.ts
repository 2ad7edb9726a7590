import { alternate } from '../kit/alternate.js';
import { none, type Round } from '../kit/bar.js';

const script = new URL('./reconnect-sample.ts', import.meta.url);
const names = ['drain', 'join'];
const untrue = ['lost', 'duplicated', 'denied', 'falselyOffline'];
const worst = (round: Round, figure: string): number =>
  Math.max(...names.map((name) => round[name]![figure]!));

await alternate({
  question:
    'Do 5,000 of 15,000 connected users move in 5 s at 1,000 a second, nobody else closed, every receipt true? One of three ' +
    'nodes drains, or a fourth joins and each of three sends on a third, while 4,000 messages of 128 bytes a second go to any ' +
    'of the 15,000, whatever the receipts do. Every receipt is held against what the clients have counted.',
  doesNotMean:
    'that no message is refused: a user is away for the delay that its close names, up to 100 ms, and the time to connect, ' +
    'and messages meanwhile get "offline" (undelivered). Clients look the ring up themselves, there is no edge. Times of ' +
    'receipts, in ms, are from when a message was due; members are asked every 100 ms who drains.',
  contenders: names.map((name) => ({ name, script, args: [name] })),
  rounds: 5,
  bars: [
    { what: 'drain, % beside the pace', of: ({ drain }) => drain!['secondsBeside']!, atMost: 10 },
    { what: 'join, % beside the pace', of: ({ join }) => join!['secondsBeside']!, atMost: 10 },
    none('users closed who stay', (round) => worst(round, 'closedOthers')),
    none('users closed twice', (round) => worst(round, 'closedTwice')),
    none('closes with another code', (round) => worst(round, 'otherCloses')),
    none('receipts not true', (round) => untrue.reduce((sum, figure) => sum + worst(round, figure), 0)),
    none('messages out of order', (round) => worst(round, 'disordered')),
  ],
});
