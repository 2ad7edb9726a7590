import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { UpFacts } from '../packages/cli/test/kit/up-facts.js';
import { startPinwheel } from './kit/pinwheel-process.js';
import { replaced } from './kit/replaced.js';
import { SdkClient } from './kit/sdk-client.js';
import { plainEnvironment, repository, startAsWritten } from './kit/started.js';
import { until } from './kit/until.js';

const text = readFileSync(join(repository, 'docs', 'http-api.md'), 'utf8');
const environment = plainEnvironment();

/** `$ curl …` and the line below it, in the order of the document. */
const examples = [...text.matchAll(/^\$ (curl .*)\n(.*)$/gm)].map(([, command, answer]) => ({
  command: command!,
  answer: answer!,
}));
/** What is sent in lines, and what comes back. */
const lines = (arrow: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^${arrow} (.*)$`, 'gm'))].map(([, line]) => line!);

/** What may be another one in each run, without its value. */
const timeless = (json: string): string =>
  json
    .replaceAll(/"(stream|session|since|incarnation|index)":"[^"]+"/g, '"$1":"*"')
    .replaceAll(/"(port|wsPort|share|moved)":[\d.]+/g, '"$1":0');

/** The answer of an example, in which … stands for whatever is there. */
const pattern = (answer: string): RegExp => {
  const parts = timeless(answer).split('…');
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`);
};

t.test('the examples of the HTTP API, one after the other', async (t) => {
  const words = ['up', '--port', '0', '--admin-port', '0', '--node-port', '0'];
  const { facts } = await startPinwheel<UpFacts>(t, words);
  const [edge] = facts.edges;
  const ports = Object.fromEntries([
    ['8081', new URL(edge!.admin).port],
    ...facts.nodes.map(({ url }, i) => [`${8101 + i}`, new URL(url).port] as const),
  ]);
  let alice: SdkClient | undefined;
  const connected = async (): Promise<void> => {
    if (alice?.isConnected) return;
    await alice?.stop();
    const client = new SdkClient(t, 'alice', () => edge!.url.replace('/ws', ''));
    await until('alice is connected', () => client.isConnected);
    alice = client;
  };
  let stream = '';
  const run = async (command: string): Promise<string> => {
    await connected();
    const here = replaced(command, ports).replace(/stream=[^&]+/, `stream=${stream}`);
    const curl = startAsWritten(t, 'bash', ['-c', here.replace('curl', 'curl -sS')], environment);
    t.equal(await curl.exit, 0, here);
    const said = curl.output().trim();
    stream = /"stream":"([^"]+)"/.exec(said)?.[1] ?? stream;
    return said;
  };

  for (const { command, answer } of examples) {
    const said = await run(command);
    t.match(timeless(said), pattern(answer), command);
    if (command.includes('-X DELETE')) await until('alice is gone', () => !alice!.isConnected);
  }
  t.equal(examples.length, text.match(/^\$ /gm)?.length, 'every one');

  const [first] = facts.nodes;
  const answer = await fetch(`${first!.url}/v1/messages`, { method: 'POST', body: lines('→').join('\n') });
  const said = (await answer.text()).trim().split('\n');
  t.equal(said.length, lines('←').length);
  for (const [i, line] of lines('←').entries()) t.match(timeless(said[i]!), pattern(line));
});
