import { maxPositions, type Position } from '@pinwheel/protocol';

const none: readonly Position[] = Object.freeze([]);

/** What a session has had: up to `seq` of `stream`, the newest, and of a few streams before. */
export class Positions {
  /** Empty before the session was first attached. */
  stream = '';
  seq = 0;
  #older: readonly Position[] = none;

  /** As the client gave them. */
  begin(positions: readonly (readonly [stream: string, seq: number])[]): void {
    this.#older = positions.map(([stream, seq]) => ({ stream, seq }));
  }

  /** The session goes on behind `seq` of `stream`. */
  goOn(stream: string, seq: number): void {
    if (stream !== this.stream) {
      const older = this.all().filter((position) => position.stream !== stream);
      this.#older = older.length === 0 ? none : older.slice(0, maxPositions - 1);
      this.stream = stream;
    }
    this.seq = seq;
  }

  /** The newest first. */
  all(): readonly Position[] {
    if (this.stream === '') return this.#older;
    return [{ stream: this.stream, seq: this.seq }, ...this.#older];
  }
}
