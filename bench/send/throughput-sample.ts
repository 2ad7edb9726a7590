import { hand } from '../kit/fresh-process.js';
import { machineLoad } from './machine-load.js';
import { SenderLoad } from './sender-load.js';
import { pause, Service } from './service.js';
import { singleLoad } from './single-load.js';
import { userNames } from './users.js';

const [contender, ...rest] = process.argv.slice(2);
const outstanding = Number(process.env['PINWHEEL_BENCH_OUTSTANDING'] ?? 8192);
const warmUpMs = 2000;
const measuredMs = rest.includes('--quick') ? 2000 : 6000;

const service = await Service.start(['n1', 'n2', 'n3']);
const users = userNames(1000);
await service.clients.ask({ connect: users });
const load =
  contender === 'sender'
    ? await SenderLoad.start(service.membership(), users, outstanding)
    : singleLoad(service.members, users);
await pause(warmUpMs);

const before = await reading();
await pause(measuredMs);
const after = await reading();

await load.stop();
const counts = await service.arrived();
const { disordered } = await service.clients.ask('status');
const truth = load.ledger.compare(counts);
const { messagesPerRequest } = load;
await service.stop();

const messages = after.receipts - before.receipts;
const elapsedMs = after.atMs - before.atMs;
const perMessage = (of: 'senderMicros' | 'nodesMicros' | 'clientsMicros'): number =>
  (after[of] - before[of]) / messages;
const ours =
  (perMessage('senderMicros') + perMessage('nodesMicros') + perMessage('clientsMicros')) * messages;
const percentOfOneCore = (micros: number): number => micros / 10 / elapsedMs;
hand({
  messagesPerSecond: (messages * 1000) / elapsedMs,
  cpuMicrosPerMessage: perMessage('senderMicros') + perMessage('nodesMicros'),
  senderCpuMicrosPerMessage: perMessage('senderMicros'),
  nodesCpuMicrosPerMessage: perMessage('nodesMicros'),
  clientsCpuMicrosPerMessage: perMessage('clientsMicros'),
  messagesPerRequest,
  othersCpuPercent: percentOfOneCore(after.busyMicros - before.busyMicros - ours),
  stolenCpuPercent: percentOfOneCore(after.stolenMicros - before.stolenMicros),
  receipts: truth.receipts,
  undelivered: truth.undelivered,
  lost: truth.lost,
  duplicated: truth.duplicated,
  denied: truth.denied,
  disordered,
});

async function reading() {
  const nodesMicros = await service.nodesCpuMicros();
  const { cpuMicros: clientsMicros } = await service.clients.ask('status');
  const { user, system } = process.cpuUsage();
  const { receipts } = load.ledger;
  const atMs = performance.now();
  return { nodesMicros, clientsMicros, senderMicros: user + system, receipts, atMs, ...machineLoad() };
}
