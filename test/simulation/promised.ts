import { promiseHooks } from 'node:v8';

let isPromised = false;
let users = 0;
let stop = (): void => {};

/** Notes whatever can lead to a microtask, until the call that it gives. */
export function watchPromises(): () => void {
  if (users++ === 0) stop = begin();
  return () => {
    if (--users === 0) stop();
  };
}

/** Whether anything was promised since it was asked last: if not, there is nothing to wait for. */
export function hasPromised(): boolean {
  const was = isPromised;
  isPromised = false;
  return was;
}

function begin(): () => void {
  const note = (): void => {
    isPromised = true;
  };
  const endInit = promiseHooks.onInit(note);
  const endSettled = promiseHooks.onSettled(note);
  const { queueMicrotask } = globalThis;
  globalThis.queueMicrotask = (call) => {
    isPromised = true;
    queueMicrotask(call);
  };
  return () => {
    endInit();
    endSettled();
    globalThis.queueMicrotask = queueMicrotask;
  };
}
