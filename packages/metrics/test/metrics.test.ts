import t from 'tap';
import { until } from '../../../test/kit/until.js';
import { EventLoopDelay } from '../src/event-loop-delay.js';
import { counter, eventLoopDelayMetric, gauge, histogram, Metrics, readingsOf } from '../src/index.js';

t.test('the metrics of a server', async (t) => {
  const metrics = new Metrics();
  t.teardown(() => metrics.close());
  const counts = { good: 1, 'b"a\\d\n': 2 };
  let depth = 7;
  metrics.add(counter('things_total', 'Things.', { kind: ['good', 'bad'] }), () => readingsOf(counts));
  metrics.add(counter('plain_total', 'Plain.'), () => depth);
  metrics.add(gauge('depth', 'Depth.'), () => depth);
  metrics.add(gauge('by_name', 'By name.', { name: ['any'] }), () => readingsOf(new Map([['a', 1.5]])));
  metrics.add(gauge('nothing_yet', 'Nothing.', { name: ['any'] }), () => []);
  const observe = metrics.addHistogram(histogram('took_seconds', 'Took.'));

  t.test('are written in the Prometheus text format, read anew at each scrape', async (t) => {
    t.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
    const text = await metrics.text();
    for (const line of [
      '# HELP things_total Things.',
      '# TYPE things_total counter',
      'things_total{kind="good"} 1',
      'things_total{kind="b\\"a\\\\d\\n"} 2',
      'plain_total 7',
      '# TYPE depth gauge',
      'depth 7',
      'by_name{name="a"} 1.5',
      '# TYPE nothing_yet gauge',
    ]) {
      t.ok(text.split('\n').includes(line), line);
    }
    counts.good = 5;
    depth = 8;
    const again = await metrics.text();
    t.match(again, /^things_total\{kind="good"\} 5$/m, 'a counter shows the count, not the sum of scrapes');
    t.match(again, /^plain_total 8$/m);
    t.match(again, /^depth 8$/m);
  });

  t.test('histograms count what is observed', async (t) => {
    for (const seconds of [0.0001, 0.003, 0.003, 100]) observe(seconds);
    const text = await metrics.text();
    t.match(text, /^took_seconds_bucket\{le="0.0005"\} 1$/m);
    t.match(text, /^took_seconds_bucket\{le="0.005"\} 3$/m);
    t.match(text, /^took_seconds_bucket\{le="\+Inf"\} 4$/m);
    t.match(text, /^took_seconds_count 4$/m);
  });

  t.test('a stall of the event loop is seen by whoever asks', async (t) => {
    const delayOf = async (quantile: string): Promise<number> => {
      const text = await metrics.text();
      return Number(
        new RegExp(`^${eventLoopDelayMetric.name}\\{quantile="${quantile}"\\} (.*)$`, 'm').exec(text)?.[1],
      );
    };
    await stall(async () => (await delayOf('1')) >= 0.3);
    t.ok((await delayOf('1')) >= 0.3, 'one reader takes it from no other');
  });

  t.test('a name can be used once', async (t) => {
    t.throws(() => metrics.add(gauge('depth', 'Again.'), () => 1), /already been registered/);
  });
});

t.test('a stall is forgotten after two windows', async (t) => {
  const delay = new EventLoopDelay(500);
  t.teardown(() => delay.close());
  const longest = (): number => delay.read().find(([, quantile]) => quantile === '1')![0];
  await stall(async () => longest() >= 0.3);
  await until('it is forgotten', () => longest() < 0.3, { everyMs: 100 });
});

/** Stalls until it is seen. */
async function stall(isSeen: () => Promise<boolean>): Promise<void> {
  await until(
    'a stall is seen',
    async () => {
      const end = performance.now() + 400;
      while (performance.now() < end);
      // it is written down at the measurement's own next tick
      await new Promise((resolve) => setTimeout(resolve, 50));
      return isSeen();
    },
    { everyMs: 100 },
  );
}

t.test('two servers in one process have registries of their own; closing may be repeated', async (t) => {
  const [one, two] = [new Metrics(), new Metrics()];
  one.add(gauge('depth', 'Depth.'), () => 1);
  two.add(gauge('depth', 'Depth.'), () => 2);
  t.match(await one.text(), /^depth 1$/m);
  t.match(await two.text(), /^depth 2$/m);
  for (const metrics of [one, one, two]) metrics.close();
  t.match(await one.text(), /^depth 1$/m, 'a late scrape is answered');
});
