import { statSync } from 'node:fs';
import { PinwheelError } from '@pinwheel/protocol';

/** Where it is said that a file was read again, or cannot be. */
export interface FileLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

const pollMs = 1000;

/** Files that are looked at each second, whether they are still what they were when this was made. */
export class FollowedFiles {
  readonly #paths: readonly string[];
  #seen: string;
  #timer: NodeJS.Timeout | undefined;

  /** Make it before the files are read: what changes meanwhile is a change. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#seen = this.#stamp();
  }

  /**
   * Has them read after one of them has changed, or is another one, as when a link leads elsewhere. What is broken waits
   * for the next change; what cannot be read, as without a free descriptor, is tried again each second. Call once.
   *
   * @param failed hears of each failure once.
   */
  follow(read: () => void, failed: (error: PinwheelError) => void): void {
    let said = '';
    this.#timer = setInterval(() => {
      const stamp = this.#stamp();
      if (stamp === this.#seen) return;
      try {
        read();
      } catch (thrown) {
        const error = PinwheelError.from(thrown);
        if (error.message !== said) failed(error);
        said = error.message;
        if (isOfTheSystem(error.cause)) return;
      }
      said = '';
      this.#seen = stamp;
    }, pollMs).unref();
  }

  /** Looks no more. May be called twice. */
  close(): void {
    clearInterval(this.#timer);
  }

  #stamp(): string {
    return this.#paths.map(stampOf).join(', ');
  }
}

/** A call of the operating system failed; what is in the file is not known. */
function isOfTheSystem(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.syscall !== undefined;
}

/** Tells one state of a file from another; while it cannot be looked at, why not. */
function stampOf(path: string): string {
  try {
    const { ino, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${ctimeNs} ${size}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
