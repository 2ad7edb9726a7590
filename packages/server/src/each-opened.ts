import type { HttpResponse, TemplatedApp } from './uws.js';

/** Has the response of every connection as it opens, before anything has come on it. */
export function eachOpened(app: TemplatedApp, opened: (response: HttpResponse) => void): void {
  const changed: Parameters<TemplatedApp['filter']>[0] = (response, change) => {
    if (change === 1) opened(response);
  };
  app.filter(changed);
}
