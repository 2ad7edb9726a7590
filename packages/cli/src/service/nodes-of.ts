import { type Member, type RingState, reasonOf } from '@pinwheel/membership';
import { isErrorCode, PinwheelError, withoutSecret } from '@pinwheel/protocol';
import { originOf } from '@pinwheel/sender';
import { type Dispatcher, request } from 'undici';
import type { Credentials } from './credentials.js';
import { keyAdvice } from './key-advice.js';

/** A process that answers questions over HTTP: a node, or the admin port of an edge. */
export interface AdminTarget {
  readonly id: string;
  get(path: string): Promise<unknown>;
  post(path: string, body?: object): Promise<unknown>;
}

const timeoutMs = 3000;

/** Every Pinwheel node that membership knows, draining ones too. */
export function nodesOf(state: RingState, credentials: Credentials): readonly AdminTarget[] {
  return [...state.members.values()]
    .filter((member) => member.kind === 'node')
    .map((member) => nodeTarget(member, credentials));
}

/** The admin port of an edge, whose id is asked for when a proof needs it. */
export function edgeTarget(url: string, credentials: Credentials): AdminTarget {
  const name = withoutSecret(url);
  const id = once(() => (credentials.needsId ? idOf(url) : Promise.resolve(url)));
  const target = async (): Promise<AdminTarget> => targetAt(name, await id(), url, credentials);
  return later(name, target);
}

/** The id that a node or an edge says of itself: a proof is for one of them, and a URL does not say which it is. */
export async function idOf(url: string): Promise<string> {
  const name = withoutSecret(url);
  const { id } = await healthOf(name, url);
  if (typeof id === 'string') return id;
  throw new PinwheelError('unavailable', `${name} does not say its id; is it a node or an edge?`);
}

/** API keys are taken on the admin port, which a node says by itself; proofs on the one that membership knows. */
export function nodeTarget(
  member: Pick<Member, 'id' | 'address' | 'port'>,
  credentials: Credentials,
): AdminTarget {
  const origin = originOf(member);
  if (!credentials.isApiKey) return targetAt(member.id, member.id, origin, credentials);
  const found = once(async () => {
    const { adminPort } = await healthOfNode(member);
    if (typeof adminPort === 'number') {
      const url = new URL(origin);
      url.port = String(adminPort);
      return targetAt(member.id, member.id, url.origin, credentials);
    }
    throw new PinwheelError(
      'unavailable',
      `${member.id} has no admin port, where it would take an API key; start it with --admin-port, or give --keys`,
    );
  });
  return later(member.id, found);
}

/** The same for one that is not listed: another process may have its place by now. */
export function unlistedTarget(
  member: Pick<Member, 'id' | 'address' | 'port'>,
  credentials: Credentials,
): AdminTarget {
  const target = nodeTarget(member, credentials);
  // with an API key its admin port is asked for, and who it is with that
  if (credentials.isApiKey) return target;
  return later(
    member.id,
    once(async () => {
      await healthOfNode(member);
      return target;
    }),
  );
}

/** @throws PinwheelError (rejects) `unreachable` when somebody else answers there, who is not to be given a key. */
async function healthOfNode(
  member: Pick<Member, 'id' | 'address' | 'port'>,
): Promise<Readonly<Record<string, unknown>>> {
  const origin = originOf(member);
  const health = await healthOf(member.id, origin);
  if (health['id'] === member.id) return health;
  const other = String(health['id'] ?? 'another process');
  throw new PinwheelError(
    'unreachable',
    `${nameOf(member.id, origin)} cannot be reached: ${other} answers there`,
  );
}

async function healthOf(id: string, origin: string): Promise<Readonly<Record<string, unknown>>> {
  return (await call(nameOf(id, origin), new URL('/healthz', origin), 'GET', undefined, {})) as Readonly<
    Record<string, unknown>
  >;
}

function targetAt(id: string, to: string, origin: string, credentials: Credentials): AdminTarget {
  const ask = (method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const url = new URL(path, origin);
    const proven = { method, target: `${url.pathname}${url.search}`, to };
    const named = credentials.headers(proven, { 'content-type': 'application/json' }, text);
    return call(nameOf(id, origin), url, method, text, named);
  };
  return { id, get: (path) => ask('GET', path), post: (path, body) => ask('POST', path, body) };
}

function later(id: string, target: () => Promise<AdminTarget>): AdminTarget {
  return {
    id,
    get: async (path) => (await target()).get(path),
    post: async (path, body) => (await target()).post(path, body),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function nameOf(id: string, url: string): string {
  const name = withoutSecret(url);
  return id === name ? name : `${id} (${name})`;
}

/** Rejects with what was said, or that nobody can be reached. */
async function call(
  named: string,
  url: URL,
  method: 'GET' | 'POST',
  body: string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const answer = await request(url, {
    method,
    body: body ?? null,
    headers,
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: Error) => {
    throw new PinwheelError('unreachable', `${named} cannot be reached: ${reasonOf(cause)}`, { cause });
  });
  const said = await saidIn<Refusal>(named, answer);
  if (answer.statusCode < 300) return said;
  throw refusalOf(named, answer.statusCode, said);
}

/** How a node and an edge say no. */
export interface Refusal {
  readonly error?: { readonly code?: unknown; readonly message?: string };
}

/** A refusal under the code that it came with, so that a script knows a wrong key from a moment that passes. */
export function refusalOf(named: string, statusCode: number, { error }: Refusal): PinwheelError {
  const code = isErrorCode(error?.code) ? error.code : 'unavailable';
  const why = keyAdvice(error?.message ?? 'no reason');
  return new PinwheelError(code, `${named} answered ${statusCode}: ${why}`);
}

/** @throws PinwheelError (rejects) `unavailable` when an answer is not from a node or an edge, or is cut. */
export async function saidIn<Said>(
  named: string,
  { statusCode, body }: Pick<Dispatcher.ResponseData, 'statusCode' | 'body'>,
): Promise<Said> {
  const text = await body.text().catch((cause: Error) => {
    throw new PinwheelError('unavailable', `${named} answered ${statusCode}, cut: ${cause.message}`, {
      cause,
    });
  });
  const said = objectIn(text);
  if (said !== undefined) return said as Said;
  const why = `${named} answered ${statusCode} with no JSON object; is a node or an edge there?`;
  throw new PinwheelError('unavailable', why);
}

function objectIn(text: string): object | undefined {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null ? said : undefined;
  } catch {
    return undefined;
  }
}
