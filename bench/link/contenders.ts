import type { Round } from '../kit/bar.js';
import type { Contender as Sample } from '../kit/fresh-process.js';
import type { Contender } from './proxy.js';

const all: readonly Contender[] = ['link', 'tunnel', 'haproxy', 'nginx', 'direct'];

/** The subject, then its references; `script` takes the name as its first argument. */
export function contenders(script: URL, names = all): readonly Sample[] {
  return names.map((name) => ({ name, script, args: [name] }));
}

const faults = ['undelivered', 'lost', 'duplicated', 'denied', 'disordered', 'closed'];

/** Over all contenders: messages and connections with which something was wrong. */
export function untrue(round: Round): number {
  return Object.values(round)
    .flatMap((figures) => faults.map((fault) => figures[fault]!))
    .reduce((sum, count) => sum + count, 0);
}
