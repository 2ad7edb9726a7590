import { PinwheelError } from '@pinwheel/protocol';
import { ApiKeySet, checkApiKeyId, newApiKey } from '@pinwheel/trust';
import type { Command, Invocation } from '../command.js';
import { given } from '../settings/given.js';
import { options } from '../settings/options.js';

export const apiKeyCommand: Command = {
  name: 'api-key new',
  summary: 'makes an API key: prints it once, and the entry for the file of --api-keys',
  options: [
    options.apiKeyId,
    options.scopes,
    options.sendsPerSecond,
    options.burst,
    options.expiresAt,
    options.json,
  ],
  run: makeApiKey,
};

async function makeApiKey({ settings, output }: Invocation): Promise<number> {
  const id = checkApiKeyId(settings.needText(options.apiKeyId));
  const scopes = settings.needText(options.scopes).split(',');
  const { key, hash } = newApiKey(id);
  const entry = {
    id,
    hash,
    scopes,
    ...given('sendsPerSecond', settings.number(options.sendsPerSecond)),
    ...given('burst', settings.number(options.burst)),
    ...given('expiresAt', settings.text(options.expiresAt)),
  };
  // whatever a process would refuse is refused here
  ApiKeySet.parse(JSON.stringify({ keys: [entry] }));
  const { expiresAt } = entry;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
    throw new PinwheelError('bad-option', `--expires-at is ${expiresAt}, which has passed`);
  }
  const text = [
    'The key, which is shown this once:',
    '',
    `  ${key}`,
    '',
    'Its entry in the file that nodes and edges are given with --api-keys, {"keys":[…]}:',
    '',
    `  ${JSON.stringify(entry)}`,
  ].join('\n');
  output.result({ key, entry }, text);
  return 0;
}
