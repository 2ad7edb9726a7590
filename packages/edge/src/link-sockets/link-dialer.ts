import type { Member } from '@pinwheel/membership';
import { maxLinkMessageBytes } from '@pinwheel/protocol';
import { type Signer, withProof } from '@pinwheel/trust';
import { WebSocket } from 'ws';
import type { LinkEvents, LinkSocket } from '../link/edge-world.js';
import { refusedBecause } from './refused-link.js';

/** A link whose node has so much unread is lost. */
const maxUnreadBytes = 67_108_864;
/** Time for the close of a link to be answered, in ms. */
const closeMs = 1000;
const linkPath = '/v1/link';
const nothing = new Uint8Array(0);

/** Opens links, as WebSockets between processes that trust each other. */
export class LinkDialer {
  readonly #open = new Set<WebSocket>();

  readonly #signer: Signer | undefined;

  /** @param signer proves to the nodes who dials; without it links carry no proof. */
  constructor(signer?: Signer) {
    this.#signer = signer;
  }

  dial({ id, address, port }: Member, events: LinkEvents): LinkSocket {
    const host = address.includes(':') ? `[${address}]` : address;
    const socket = new WebSocket(`ws://${host}:${port}${linkPath}`, {
      headers: withProof<Record<string, string>>(
        this.#signer,
        { method: 'GET', target: linkPath, to: id },
        {},
      ),
      perMessageDeflate: false,
      maxPayload: maxLinkMessageBytes,
      skipUTF8Validation: true,
      // a mask protects proxies from scripts in browsers; here it would cost a loop over every byte
      generateMask: (mask) => mask.fill(0),
    });
    this.#open.add(socket);
    let why: string | undefined;
    socket.on('open', () => events.opened());
    // a text is no link message: read as one without a frame, it is a protocol error
    socket.on('message', (data: Buffer, isBinary) => events.received(isBinary ? data : nothing));
    socket.on('error', (error) => {
      why ??= error.message;
    });
    socket.on('unexpected-response', async (_, response) => {
      const refused = await refusedBecause(response);
      why ??= refused;
      socket.terminate();
    });
    socket.on('close', (code, reason) => {
      this.#open.delete(socket);
      events.closed(why ?? `closed with ${code} ${reason.toString()}`.trimEnd());
    });
    return {
      send: (bytes) => {
        if (socket.readyState !== WebSocket.OPEN) return;
        // what is not masked is not copied, and the bytes are the caller's again when this returns
        socket.send(Buffer.from(bytes));
        if (socket.bufferedAmount <= maxUnreadBytes) return;
        why ??= `the node has more than ${maxUnreadBytes} bytes unread`;
        socket.terminate();
      },
      close: (code, reason) => {
        if (socket.readyState === WebSocket.CLOSED) return;
        socket.close(code, reason);
        const timer = setTimeout(() => socket.terminate(), closeMs);
        socket.once('close', () => clearTimeout(timer));
      },
    };
  }

  /** Resolves when every link is gone: those that were closed have a second for it. */
  async closed(): Promise<void> {
    await Promise.all(
      [...this.#open].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
  }
}
