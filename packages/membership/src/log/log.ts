/** Where a process writes what an operator should see; pino's loggers fit. Never called per message. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

const nothing = (): void => {};

export const silentLog: Log = Object.freeze({ info: nothing, warn: nothing, error: nothing });
