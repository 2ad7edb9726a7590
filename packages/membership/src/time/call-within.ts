/**
 * Makes a call that ends with its time, or with what it is made for. Not by `AbortSignal.any`: in Node.js 20 the signal that
 * lasts keeps a trace of every call.
 *
 * @param closing is aborted when nobody wants the answer any more.
 * @throws Error (rejects) `timed out after … ms`; what the call throws.
 */
export async function callWithin<Answer>(
  timeoutMs: number,
  closing: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    controller.abort();
  }, timeoutMs);
  const end = (): void => controller.abort();
  closing?.addEventListener('abort', end);
  if (closing?.aborted === true) end();
  try {
    return await call(controller.signal);
  } catch (error) {
    if (isLate) throw new Error(`timed out after ${Math.round(timeoutMs)} ms`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    closing?.removeEventListener('abort', end);
  }
}
