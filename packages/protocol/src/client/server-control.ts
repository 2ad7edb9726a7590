import { maxReceiptBytes, maxStreamBytes } from '../field-bounds.js';
import { maxMessageBytes, maxUserBytes } from '../message.js';
import {
  booleanField,
  fieldsOf,
  numberField,
  parseControl,
  sessionField,
  textField,
  unknownControl,
} from './control-fields.js';
import type { ClientReceipt, ServerControl } from './frames.js';

const maxWordBytes = 64;

/**
 * Reads a server's text message. Fields that a later version may add are passed over.
 *
 * @throws PinwheelError `protocol`.
 */
export function parseServerControl(text: string): ServerControl {
  const fields = parseControl(text);
  const { type } = fields;
  switch (type) {
    case 'welcome':
      return {
        type,
        session: sessionField(fields['session']),
        stream: textField('stream', fields['stream'], 1, maxStreamBytes),
        seq: numberField('seq', fields['seq']),
        recovered: booleanField('recovered', fields['recovered']),
        taken: numberField('taken', fields['taken']),
        resumeWindowMs: numberField('resumeWindowMs', fields['resumeWindowMs']),
        // edges of before it do not say it
        maxMessageBytes: numberField('maxMessageBytes', fields['maxMessageBytes'] ?? maxMessageBytes),
      };
    case 'pong':
    case 'renew':
      return { type };
    case 'receipt': {
      const number = numberField('number', fields['number']);
      return { type, number, receipt: receiptOf(fieldsOf('receipt', fields['receipt'])) };
    }
    default:
      throw unknownControl(type);
  }
}

/** A status or an error's code that this version does not know is the application's to read. */
function receiptOf({ user, status, sessions, error }: Readonly<Record<string, unknown>>): ClientReceipt {
  return {
    user: textField('user', user, 1, maxUserBytes),
    status: textField('status', status, 1, maxWordBytes),
    ...(sessions === undefined ? {} : { sessions: numberField('sessions', sessions) }),
    ...(error === undefined ? {} : { error: errorOf(fieldsOf('error', error)) }),
  };
}

function errorOf({ code, message }: Readonly<Record<string, unknown>>): NonNullable<ClientReceipt['error']> {
  return {
    code: textField('code', code, 1, maxWordBytes),
    message: textField('message', message, 0, maxReceiptBytes),
  };
}
