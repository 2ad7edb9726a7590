import { type Metrics, readingsOf } from '@pinwheel/metrics';
import type { EdgeCore } from '../link/edge-core.js';
import { linkMetrics } from '../metrics/edge-metrics.js';

/** Has what an edge with links measures read when somebody scrapes. */
export function measureLinks(metrics: Metrics, core: EdgeCore): void {
  const { counters } = core;
  metrics.add(linkMetrics.links, () => {
    const { linksUp, linksOpening } = core.status;
    return [
      [linksUp, 'up'],
      [linksOpening, 'opening'],
    ];
  });
  metrics.add(linkMetrics.sessions, () => {
    const { attached, waiting, paused } = core.status;
    return [
      [attached, 'attached'],
      [waiting, 'waiting'],
      [paused, 'paused'],
    ];
  });
  metrics.add(linkMetrics.attachQueue, () => core.queue.size);
  metrics.add(linkMetrics.attaches, () => readingsOf(counters.attaches));
  metrics.add(linkMetrics.sessionEnds, () => readingsOf(counters.ends));
  metrics.add(linkMetrics.messages, () => [
    [counters.messagesToClients, 'to-client'],
    [counters.messagesFromClients, 'from-client'],
  ]);
  metrics.add(linkMetrics.repins, () => counters.repins);
  metrics.add(linkMetrics.linksLost, () => counters.linksLost);
  metrics.add(linkMetrics.protocolErrors, () => counters.protocolErrors);
  metrics.add(linkMetrics.droppedFrames, () => counters.framesDropped);
  metrics.add(linkMetrics.pauses, () => counters.pauses);
}
