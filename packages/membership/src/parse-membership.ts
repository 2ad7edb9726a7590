import { readFileSync } from 'node:fs';
import { PinwheelError } from '@pinwheel/protocol';
import type { KeySource } from '@pinwheel/trust';
import { consulMembership } from './consul/consul.js';
import type { ConsulOptions } from './consul/consul-options.js';
import { reasonOf } from './log/reason-of.js';
import type { AddressRuleOptions } from './member/address-rule.js';
import type { Membership } from './member/contract.js';
import { staticMembership } from './static/static.js';

/** Whom a process takes for a member. */
export interface MembershipRules extends AddressRuleOptions {
  readonly keys?: KeySource;
}

const forms = 'it must be consul://host:port/service[?tag=…&token-file=…] or static:FILE.json';

/**
 * The membership that a command line names: `consul://host:port/service[?tag=…&token-file=…]` (port 8500 when it is
 * left out) or `static:FILE.json[?poll-ms=…]`, the file relative to the working directory. Nothing is
 * read yet but the token file, whose absence would otherwise look like a Consul that is away.
 *
 * @param rules where members may be, and the keys that those from Consul have to prove that they have.
 * @throws PinwheelError `bad-option` that names the value and shows the forms, or the token file that cannot be read.
 */
export function membershipFrom(text: string, { keys, ...addresses }: MembershipRules = {}): Membership {
  // in a program in JavaScript most likely what the environment did not have
  if (typeof text !== 'string') throw new PinwheelError('bad-option', `membership is ${text}; ${forms}`);
  const source = staticSource(text);
  if (source !== undefined) return fromFile(text, source, addresses);
  if (text.startsWith('consul:'))
    return consulMembership({ ...consulOptions(text), addresses, ...(keys === undefined ? {} : { keys }) });
  throw refused(text);
}

/** Between two rounds of questions to the members, in ms. */
const pollBounds = [100, 3_600_000] as const;

/** A list in a file, as a command line names it; its `poll` is not checked. */
export interface StaticSource {
  readonly path: string;
  readonly poll: string | undefined;
}

/** `undefined` for what is no `static:…`. */
export function staticSource(text: string): StaticSource | undefined {
  const [, path, , poll] = /^static:(.*?)(\?poll-ms=(.*))?$/s.exec(text) ?? [];
  return path === undefined ? undefined : { path, poll };
}

function fromFile(text: string, { path, poll }: StaticSource, addresses: AddressRuleOptions): Membership {
  if (path === '') throw refused(text, 'the file is missing');
  if (poll === undefined) return staticMembership(path, { addresses });
  const [least, most] = pollBounds;
  const pollMs = /^[0-9]{1,7}$/.test(poll) ? Number(poll) : Number.NaN;
  if (pollMs >= least && pollMs <= most) return staticMembership(path, { pollMs, addresses });
  throw refused(text, `poll-ms must be a whole number between ${least} and ${most}`);
}

function consulOptions(text: string): ConsulOptions {
  if (!URL.canParse(text) || !text.startsWith('consul://')) throw refused(text);
  const url = new URL(text);
  if (url.hostname === '') throw refused(text, 'the host is missing');
  if (url.username !== '' || url.password !== '') throw refused(text, 'a token belongs into token-file');
  if (url.port === '0') throw refused(text, 'the port is 0');
  for (const name of url.searchParams.keys()) {
    if (name !== 'tag' && name !== 'token-file') throw refused(text, `${JSON.stringify(name)} is not known`);
  }
  const service = url.pathname.slice(1);
  if (service === '') throw refused(text, 'the service is missing');
  const tag = url.searchParams.get('tag');
  const tokenFile = url.searchParams.get('token-file');
  if (tokenFile !== null) checkTokenFile(tokenFile);
  try {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      service: decodeURIComponent(service),
      ...(tag === null ? {} : { tag }),
      ...(tokenFile === null ? {} : { tokenFile }),
    };
  } catch {
    throw refused(text, 'the service is not percent-encoded UTF-8');
  }
}

function checkTokenFile(path: string): void {
  try {
    readFileSync(path);
  } catch (cause) {
    throw new PinwheelError('bad-option', `cannot read token-file ${path}: ${reasonOf(cause)}`, { cause });
  }
}

function refused(text: string, why?: string): PinwheelError {
  const reason = why === undefined ? '' : ` (${why})`;
  return new PinwheelError(
    'bad-option',
    `membership is ${JSON.stringify(withoutSecrets(text))}${reason}; ${forms}`,
  );
}

/** An error ends up in a log: what was meant as a secret is not repeated. */
function withoutSecrets(text: string): string {
  return text.replace(/^([a-z]+:(?:\/\/)?)[^/@]*@/, '$1…@').replace(/([?&]token=)[^&]*/g, '$1…');
}
