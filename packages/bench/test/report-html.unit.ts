import { parseHTML } from 'linkedom';
import t from 'tap';
import { htmlReport } from '../src/report/html-report.js';
import { contenders } from '../src/result.js';
import { fixtureComparison, without, withRuns } from './kit/fixture.js';

interface Element {
  readonly textContent: string;
  readonly tagName: string;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  getAttribute(name: string): string | null;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
}

function parsed(html: string): Element {
  return parseHTML(html).document as unknown as Element;
}

function all(within: Element, selector: string): readonly Element[] {
  return [...within.querySelectorAll(selector)];
}

t.test('a report as a page', async (t) => {
  const html = htmlReport(fixtureComparison());
  const page = parsed(html);

  t.test('begins with a conclusion made of the figures', async (t) => {
    const conclusion = page.querySelector('.conclusion')!.textContent;
    t.match(
      conclusion,
      'With 10 nodes, a message delivered costs 4.20 µs of CPU by the ring, 9.70 by the registry, ' +
        '10.5 by broadcast and 122 by unbatched broadcast.',
    );
    t.match(conclusion, '1 by the ring, 2 by the registry, 11 by broadcast and 11 by unbatched broadcast');
    t.match(conclusion, 'When a node is killed, the most that did not come is 41 messages by the ring');
    t.match(conclusion, 'though the sender was told that it had is 41 messages by the ring');
    t.match(conclusion, 'While the nodes stayed the same, nothing was lost.');
  });

  t.test('says what was lost while the nodes stayed the same', async (t) => {
    const lossy = withRuns(fixtureComparison(), (run) =>
      run.strategy === 'broadcast' && run.phase === 'steady' ? { ...run, lost: 7 } : run,
    );
    t.match(parsed(htmlReport(lossy)).querySelector('.conclusion')!.textContent, '63 messages by broadcast');
  });

  t.test('stands alone: no script, nothing from the network', async (t) => {
    t.same(all(page, 'script, link, iframe, img, object, embed, base, use, image'), []);
    const attributes = all(page, '*').flatMap((element) => [...element.attributes]);
    const loading = attributes.filter(
      ({ name, value }) =>
        /^(src|href|xlink:href|srcset|data|action|on.*)$/i.test(name) || /url\(|javascript:/i.test(value),
    );
    t.ok(attributes.length > 1000);
    t.same(loading, []);
    t.notMatch(html.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//);
    t.notMatch(html, /url\(|@import/i);
  });

  t.test('has every plot, each named and with something drawn', async (t) => {
    const plots = all(page, 'svg[role="img"]');
    const ids = plots.map((plot) => plot.getAttribute('aria-labelledby'));
    t.same(ids, [
      'cost-saturation',
      'cost-steady',
      'copies',
      ...[3, 5, 10].map((nodes) => `latency-${nodes}`),
      ...[3, 5, 10].flatMap((nodes) =>
        ['join', 'drain', 'kill'].map((change) => `change-${change}-${nodes}`),
      ),
    ]);
    for (const plot of plots) {
      const name = plot.querySelector('title')!;
      t.equal(name.getAttribute('id'), plot.getAttribute('aria-labelledby'));
      t.equal(plot.getAttribute('aria-label'), name.textContent);
      t.ok(name.textContent.length > 10);
      t.ok(all(plot, '[aria-label="line"] path').length >= 4);
    }
    t.notMatch(html, /\bNaN\b|Infinity|undefined/);
  });

  t.test('draws a line, its spread and its marks for each contender', async (t) => {
    const cost = page.querySelector('svg[aria-labelledby="cost-saturation"]')!;
    for (const contender of contenders) {
      const color = `var(--${contender})`;
      const of = (label: string) => all(cost, `[aria-label="${label}"][stroke="${color}"]`);
      t.equal(of('line').length, 1, contender);
      t.equal(of('rule').flatMap((rule) => all(rule, 'line')).length, 3, contender);
      t.equal(all(cost, `[aria-label="dot"][fill="${color}"] :is(path, circle)`).length, 3, contender);
    }
  });

  t.test('says which line is whose, and under each figure what it shows', async (t) => {
    const figures = all(page, 'figure');
    t.equal(figures.length, 4);
    for (const figure of figures) t.ok(figure.querySelector('figcaption')!.textContent.length > 100);
    const legends = all(page, '.legend').map((legend) => all(legend, 'li').map((item) => item.textContent));
    t.same(
      legends,
      [contenders, contenders, contenders].map((names) => [...names]),
    );
    const change = page.querySelector('svg[aria-labelledby="change-kill-3"]')!;
    const words = all(change, 'text').map((text) => text.textContent);
    t.ok(contenders.every((contender) => words.includes(contender)));
  });

  t.test('has every table, with heads for rows and columns', async (t) => {
    const titles = all(page, '[role="region"]').map((region) => region.getAttribute('aria-label'));
    t.same(titles, [
      ...[3, 5, 10].map((nodes) => `Cost with ${nodes} nodes`),
      ...[3, 5, 10].map((nodes) => `Changes from ${nodes} nodes`),
      'Per delivery, saturated: model / measured, and by how much the model is off',
    ]);
    const [first] = all(page, 'table');
    t.same(
      all(first!, 'thead th').map((head) => head.textContent),
      ['', ...contenders],
    );
    const rows = all(first!, 'tr').map((row) => [...all(row, 'th, td')].map((cell) => cell.textContent));
    t.ok(rows.some(([label, ring]) => label === '- queue' && ring === '–'));
    t.ok(rows.some(([label, ring]) => label === 'CPU µs/delivery' && ring === '4.20 (4.07–4.33)'));
  });

  t.test('has the model beside what was measured', async (t) => {
    const rows = all(all(page, 'table').at(-1)!, 'tbody tr').map((row) => row.textContent);
    t.ok(rows.includes('messages1 / 1, 0 %2 / 2, 0 %11 / 11, 0 %11 / 11, 0 %'));
    t.ok(rows.includes('bytes188 / 188, 0 %396 / 396, 0 %776 / 776, 0 %832 / 832, 0 %'));
  });

  t.test('fits dark and narrow screens', async (t) => {
    t.match(html, 'prefers-color-scheme: dark');
    t.match(html, 'name="viewport"');
  });
});

t.test('a page of less', async (t) => {
  t.test('draws a curve to one in a million, and leaves out the end that has no place', async (t) => {
    const long = withRuns(fixtureComparison({ rounds: 1 }), (run) =>
      run.latencyCurve === undefined
        ? run
        : {
            ...run,
            latencyCurve: [
              [0, 0],
              [0.5, 1],
              [0.999999, 20],
              [0.999999999, 30],
              [1, 40],
            ],
          },
    );
    const plot = parsed(htmlReport(long)).querySelector('svg[aria-labelledby="latency-3"]')!;
    t.ok(all(plot, 'text').some(({ textContent }) => textContent === '99.9999%'));
    t.notOk(all(plot, 'text').some(({ textContent }) => textContent === '99.99999%'));
  });

  t.test('has no figure for what was not measured', async (t) => {
    const bare = withRuns(fixtureComparison(), (run) =>
      without(run, 'latencyCurve', 'timeline', 'cpuMicrosPerDelivery'),
    );
    const page = parsed(htmlReport(bare));
    t.same(
      all(page, 'svg[role="img"]').map((plot) => plot.getAttribute('aria-labelledby')),
      ['copies'],
    );
  });

  t.test('says that nothing ran', async (t) => {
    const page = parsed(htmlReport({ ...fixtureComparison(), runs: [] }));
    t.equal(page.querySelector('.conclusion')!.textContent, 'Nothing ran.');
  });

  t.test('is drawn from one node count and one round', async (t) => {
    const html = htmlReport(fixtureComparison({ rounds: 1, nodeCounts: [1] }));
    t.notMatch(html, /\bNaN\b|Infinity/);
    t.match(html, 'With 1 node, ');
    t.match(parsed(html).querySelector('.warnings')!.textContent, 'one round: no spread');
  });
});

t.test('what comes from outside is text in the page, never markup', async (t) => {
  const hostile = `"><img src=http://evil.example/x onerror=alert(1)><script>alert('x')</script>&amp;`;
  const html = htmlReport(
    fixtureComparison({ cpu: hostile, platform: hostile, queue: hostile, date: hostile, missing: [hostile] }),
  );
  const page = parsed(html);
  t.same(all(page, 'img, script'), []);
  t.equal(html.includes('<img'), false);
  t.equal(html.includes('<script'), false);
  t.match(page.querySelector('.conditions')!.textContent, hostile);
  t.equal(page.querySelector('.warnings')!.textContent, `missing: ${hostile}`);
});
