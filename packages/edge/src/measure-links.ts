import { type Metrics, readingsOf } from '@pinwheel/metrics';
import { edgeMetrics } from './edge-metrics.js';
import type { EdgeCore } from './link/edge-core.js';

/** Has what an edge with links measures read when somebody scrapes. */
export function measureLinks(metrics: Metrics, core: EdgeCore): void {
  const { counters } = core;
  metrics.add(edgeMetrics.links, () => {
    const { linksUp, linksOpening } = core.status;
    return [
      [linksUp, 'up'],
      [linksOpening, 'opening'],
    ];
  });
  metrics.add(edgeMetrics.sessions, () => {
    const { attached, waiting, paused } = core.status;
    return [
      [attached, 'attached'],
      [waiting, 'waiting'],
      [paused, 'paused'],
    ];
  });
  metrics.add(edgeMetrics.attachQueue, () => core.queue.size);
  metrics.add(edgeMetrics.attaches, () => readingsOf(counters.attaches));
  metrics.add(edgeMetrics.closes, () => readingsOf(counters.ends));
  metrics.add(edgeMetrics.messages, () => [
    [counters.messagesToClients, 'to-client'],
    [counters.messagesFromClients, 'from-client'],
  ]);
  metrics.add(edgeMetrics.repins, () => counters.repins);
  metrics.add(edgeMetrics.linksLost, () => counters.linksLost);
  metrics.add(edgeMetrics.protocolErrors, () => counters.protocolErrors);
  metrics.add(edgeMetrics.droppedFrames, () => counters.framesDropped);
  metrics.add(edgeMetrics.pauses, () => counters.pauses);
}
