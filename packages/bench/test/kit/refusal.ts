import { PinwheelError } from '@pinwheel/protocol';

/** Code and message of what a call refuses with; empty when it does not. */
export function refusal(call: () => unknown): string {
  try {
    call();
    return '';
  } catch (error) {
    return error instanceof PinwheelError ? `${error.code}: ${error.message}` : String(error);
  }
}
