import { type Log, systemClock } from '@pinwheel/membership';
import { type Admissions, admitAnybody } from './admission.js';
import type { AdmissionCounters } from './admission-counters.js';
import type { ResolvedAdmission, ResolvedAuth } from './admission-options.js';
import { JwtAdmission } from './jwt-admission.js';
import { KeySet } from './key-set.js';
import type { OriginList } from './origin-list.js';
import { WebhookAdmission } from './webhook-admission.js';

/** Time for one reading of the keys that tokens are signed with, in ms. */
const keySetTimeoutMs = 5000;

/** What decides who clients are, by the options. Resolves when it has what it needs, or has said what it lacks. */
export async function openAdmissions(
  { auth, origins }: ResolvedAdmission,
  counters: AdmissionCounters,
  log: Log,
): Promise<Admissions> {
  const admissions = await openAuth(auth, counters, log);
  return origins === undefined ? admissions : behind(origins, admissions);
}

async function openAuth(auth: ResolvedAuth, counters: AdmissionCounters, log: Log): Promise<Admissions> {
  switch (auth.kind) {
    case 'none':
      return admitAnybody;
    case 'jwt': {
      const keySet = new KeySet({
        source: auth.jwks,
        refreshMs: auth.refreshMs,
        timeoutMs: keySetTimeoutMs,
        clock: systemClock,
        log,
        counters,
      });
      await keySet.refresh();
      return new JwtAdmission(auth, keySet, Date.now);
    }
    case 'webhook':
      return new WebhookAdmission(auth, counters, log);
    default:
      throw new TypeError(`unknown auth ${auth satisfies never}`);
  }
}

function behind(origins: OriginList, inner: Admissions): Admissions {
  return {
    admit: (request) => origins.refuse(request) ?? inner.admit(request),
    ...(inner.renew === undefined ? {} : { renew: inner.renew }),
    ...(inner.lacks === undefined ? {} : { lacks: inner.lacks }),
    close: () => inner.close(),
  };
}
