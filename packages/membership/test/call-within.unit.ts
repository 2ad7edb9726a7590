import t from 'tap';
import { callWithin } from '../src/index.js';

/** Ends when it is told to. */
const endless = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

t.test('a call ends with its time, or with what it is made for', async (t) => {
  const closing = new AbortController();
  t.equal(await callWithin(60_000, closing.signal, async () => 1), 1);
  await t.rejects(callWithin(1, closing.signal, endless), { message: 'timed out after 1 ms' });
  await t.rejects(callWithin(1, undefined, endless), { message: 'timed out after 1 ms' });
  const own = callWithin(60_000, closing.signal, () => Promise.reject(new Error('of the call')));
  await t.rejects(own, { message: 'of the call' });
  const under = callWithin(60_000, closing.signal, endless);
  closing.abort();
  await t.rejects(under, { message: 'aborted' });
  const late = callWithin(60_000, closing.signal, async (signal) => signal.aborted);
  t.equal(await late, true, 'begun afterwards');
});

t.test('the signal that lasts keeps no trace of calls that are over', async (t) => {
  const closing = new AbortController();
  let listening = 0;
  const { signal } = closing;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...of: Parameters<typeof add>) => {
    listening++;
    add(...of);
  };
  signal.removeEventListener = (...of: Parameters<typeof remove>) => {
    listening--;
    remove(...of);
  };
  for (let i = 0; i < 3; i++) await callWithin(60_000, signal, async () => t.equal(listening, 1));
  t.equal(listening, 0);
  const dependants = Object.getOwnPropertySymbols(signal).filter(({ description }) =>
    description?.includes('Dependant'),
  );
  for (const key of dependants) t.notOk((signal as unknown as Record<symbol, { size?: number }>)[key]?.size);
});
