import { z } from 'zod';
import { faultOf } from './member-fields.js';

/** A zod check made of one of the faults, so that a field is refused with the same words everywhere. */
function checked<T>(type: z.ZodType<T>, fault: (value: unknown) => string | undefined): z.ZodType<T> {
  return type.superRefine((value, context) => {
    const message = fault(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** The fields that any written-down member has, each with its bounds. */
export const memberFields = {
  id: checked(z.string(), faultOf.id),
  address: checked(z.string(), faultOf.address),
  port: checked(z.number(), (port) => faultOf.port(port)),
  wsPort: checked(z.number(), (port) => faultOf.port(port, 'wsPort')).optional(),
  weight: checked(z.number(), faultOf.weight),
  draining: z.boolean(),
};

/** `members[2].port: port is 0; it must be between 1 and 65535` */
export function firstFault(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return error.message;
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return path === '' ? issue.message : `${path.replace(/^\./, '')}: ${issue.message}`;
}

/** An object without the keys whose value is undefined, as `exactOptionalPropertyTypes` wants it. */
export function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
