import type { Attached, AttachRequest, FrameInPlace, Receipt } from '@pinwheel/protocol';
import type { Client } from './client.js';
import { ClientMessages } from './client-messages.js';
import type { EdgeContext } from './edge-context.js';
import type { ClientPort, ClientSpeech } from './edge-world.js';
import type { Ending } from './ending.js';
import type { SessionEnd } from './link-counters.js';
import { Pin } from './pin.js';
import { PlainClient } from './plain-client.js';
import { Positions } from './positions.js';
import { closeOf, comeBackMs, type OwnEnd, ownReason } from './session-close.js';
import { V1Client } from './v1-client.js';

/** A plain client's messages are acknowledged in portions of this many, and once a second. */
const ackEvery = 32;

/** A client's session as its edge sees it: what it has had, what it has sent, and where it is pinned. */
export class EdgeSession {
  readonly user: string;
  readonly #context: EdgeContext;
  readonly #client: Client;
  readonly #pin: Pin;
  /** What its client sends. */
  readonly sent: ClientMessages;
  readonly #positions = new Positions();
  #key = '';
  #epoch = 1;
  /** Whether it goes on where it was, rather than from the end of the stream. */
  #resumes = false;
  /** A node may have it: an ATTACH was sent, whatever has become of it. */
  #mayBeKnown = false;
  /** The newest message of the stream that has come, be it written or not. */
  #heard = 0;
  #acked = 0;
  #ending: Ending | undefined;

  constructor(context: EdgeContext, user: string, speech: ClientSpeech, port: ClientPort) {
    this.#context = context;
    this.user = user;
    this.#client = speech === 'v1' ? new V1Client(context, this, port) : new PlainClient(context, this, port);
    this.#pin = new Pin(context, this);
    this.sent = new ClientMessages(context, this.#pin);
  }

  // what the client's socket tells

  /** @param data good until this returns. */
  received(data: Uint8Array, binary: boolean): void {
    if (!this.#pin.isClosed) this.#client.received(data, binary);
  }

  /** The socket holds too much that was not written here, such as answers to pings. */
  full(): void {
    this.#client.full();
  }

  /** The socket, which was said to hold too much, has room again. */
  drained(): void {
    this.#client.drained();
  }

  /** The socket has taken something, and holds too much still. */
  reading(): void {
    this.#client.reading();
  }

  /** The client is gone. Harmless after this side has closed it. */
  gone(code: number, reason: string): void {
    if (this.#pin.isClosed) return;
    this.#client.gone();
    const { acknowledges } = this.#client;
    // only 1000 is meant as the end: after any other a pinwheel.v1 client, which knows itself what was taken, may come back
    if (acknowledges && code !== 1000) this.#end(true, code, reason, 'client-left');
    else this.#part(code, reason);
  }

  /** Its token ends soon. */
  askForToken(): void {
    if (!this.#pin.isClosed) this.#client.askForToken();
  }

  // what the client says

  /** A plain client says it by being there. */
  hello(key: string, epoch = 1, positions?: readonly (readonly [stream: string, seq: number])[]): void {
    this.#key = key;
    this.#epoch = epoch;
    this.#resumes = positions !== undefined;
    if (positions !== undefined) this.#positions.begin(positions);
    this.#pin.start();
  }

  acknowledge(seq: number): void {
    // what was never written cannot be acknowledged
    if (seq <= this.#acked || seq > this.#positions.seq) return;
    this.#acked = seq;
    this.#pin.out?.ack(this.#pin.number, seq);
  }

  pause(): void {
    this.#pin.out?.pause(this.#pin.number);
  }

  continue(): void {
    this.#pin.out?.continue(this.#pin.number);
    this.#sayEnd();
  }

  /** That message was written to the client's socket. */
  wrote(seq: number): void {
    this.#positions.seq = seq;
  }

  /** Acknowledges for a plain client what was written to its socket, when that are so many at least. */
  acknowledgeWritten(least = ackEvery): void {
    const { seq } = this.#positions;
    if (this.#client.acknowledges || seq - this.#acked < least) return;
    const { out } = this.#pin;
    if (out === undefined) return;
    this.#acked = seq;
    out.ack(this.#pin.number, seq);
  }

  // what its pin asks

  /** Writes what was collected for the client. Whether the session is still open. */
  flush(): boolean {
    this.#client.flush();
    return !this.#pin.isClosed;
  }

  /** Up to which the client's stream was written to it. */
  get position(): number {
    return this.#positions.seq;
  }

  attachRequest(number: number, fingerprint: string, handoff: string): AttachRequest {
    this.#mayBeKnown = true;
    return {
      session: number,
      acknowledges: this.#client.acknowledges,
      resumes: this.#resumes,
      epoch: this.#epoch,
      key: this.#key,
      user: this.user,
      fingerprint,
      handoff,
      positions: this.#positions.all(),
    };
  }

  linkLost(): void {
    this.#pin.linkLost();
  }

  /** Gives it a turn to leave an abandoned link. */
  queueToLeave(): void {
    this.#context.queue.add(this.#pin);
  }

  // what the node says, on the link and under the number that it is pinned to

  attached(attached: Attached): void {
    const { stream, seq, recovered, taken } = attached;
    if (!this.flush()) return;
    const { acknowledges } = this.#client;
    const isNews = stream !== this.#positions.stream || !recovered;
    this.#positions.goOn(stream, seq);
    this.#heard = seq;
    this.#resumes = true;
    if (!acknowledges) this.#acked = seq;
    else if (isNews) this.#acked = 0;
    this.sent.taken(taken);
    const isNew = this.#pin.attached();
    if (isNew) this.#context.counters.attaches[recovered ? 'attached' : 'attached-with-gap']++;
    this.#client.attached(attached, isNews);
    if (isNew) this.#catchUp();
  }

  message(seq: number, binary: boolean, frame: FrameInPlace): void {
    if (seq <= this.#heard || this.#isParting) {
      this.#context.counters.framesDropped++;
      return;
    }
    this.#heard = seq;
    this.#context.counters.messagesToClients++;
    this.#client.frame(seq, binary, frame);
  }

  reply(binary: boolean, frame: FrameInPlace): void {
    if (this.#isParting) return;
    this.#context.counters.messagesToClients++;
    this.#client.frame(0, binary, frame);
  }

  taken(number: number): void {
    this.sent.taken(number);
    this.#client.taken(number);
    if (this.#isParting) this.#sayEnd();
  }

  receipt(number: number, receipt: Receipt): void {
    this.sent.answered(number);
    this.#client.receipt(number, receipt);
  }

  repinned(to: string, handoff: string): void {
    if (this.flush()) this.#pin.repinned(to, handoff);
  }

  closedByNode(code: number, reason: string): void {
    if (!this.flush()) return;
    this.#pin.forget('refused');
    const isDrained = this.#ending?.kind === 'leaves' && code === closeOf.drained.code;
    this.#over(isDrained ? 'drained' : 'closed-by-node');
    this.#client.close(code, reason);
  }

  /**
   * Its edge drains: the client is told when to come back. A plain one can not come back to its session, so its node
   * closes it behind everything that it has accepted for it.
   */
  leave(retryAfterMs: number): void {
    if (this.#isParting) return;
    if (this.#client.acknowledges || !this.#mayBeKnown) this.close('drained', retryAfterMs);
    else {
      this.#ending = { kind: 'leaves', reason: ownReason('drained', retryAfterMs) };
      this.#sayEnd();
    }
  }

  /** @param retryAfterMs for the codes that say it: when the client should come back. */
  close(end: OwnEnd, retryAfterMs?: number): void {
    this.giveUp();
    if (!this.flush()) return;
    const code = closeOf[end];
    const reason = ownReason(end, retryAfterMs ?? this.#context.world.random() * comeBackMs);
    this.#end(code.reconnect && this.#client.acknowledges, code.code, code.reason, end);
    this.#client.close(code.code, reason);
  }

  /** Its client has ended it, and it does not wait any longer for its node to take what is left. */
  giveUp(): void {
    if (this.#pin.isClosed || this.#ending?.kind !== 'parts') return;
    this.#end(false, this.#ending.code, this.#ending.reason, 'client-left');
  }

  /** Forgets it without a word to anybody. */
  cut(): void {
    if (this.#pin.isClosed) return;
    this.#pin.forget('given-up');
    this.#client.gone();
    this.#over('cut');
  }

  /** Says what the node behind a new pin does not know. */
  #catchUp(): void {
    const { out, number } = this.#pin;
    if (out === undefined) return;
    this.sent.sendAgain();
    if (this.#client.isPaused || this.#isParting) out.pause(number);
    if (this.#client.acknowledges && this.#acked > 0) out.ack(number, this.#acked);
    this.#sayEnd();
  }

  /** Its client has ended it. Nothing is to come for it any more, and what it has sent is to be taken. */
  #part(code: number, reason: string): void {
    this.#ending = { kind: 'parts', code, reason };
    this.#sayEnd();
    if (this.#pin.isClosed) return;
    if (this.#context.parting.add(this, this.sent.bytes)) this.pause();
    else this.giveUp();
  }

  get #isParting(): boolean {
    return this.#ending?.kind === 'parts';
  }

  /** Brings its end about, as soon as it can. */
  #sayEnd(): void {
    const { out, number } = this.#pin;
    if (this.#ending?.kind === 'leaves' && !this.#client.isPaused)
      out?.leave(number, closeOf.drained.code, this.#ending.reason);
    // where no ATTACH was sent nobody knows of it
    else if (this.#isParting && this.sent.isTaken && (out !== undefined || !this.#mayBeKnown)) this.giveUp();
  }

  #end(mayComeBack: boolean, code: number, reason: string, why: SessionEnd): void {
    this.#pin.end(mayComeBack, code, reason);
    this.#over(why);
  }

  #over(why: SessionEnd): void {
    this.#context.counters.ends[this.#isParting ? 'client-left' : why]++;
    this.sent.clear();
    this.#context.parting.delete(this);
  }
}
