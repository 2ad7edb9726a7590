import { ofClaims } from './protections/claims.js';
import { ofMessages } from './protections/messages.js';
import { ofMoves } from './protections/moves.js';
import type { Protections } from './protections/protection.js';
import { ofSessions } from './protections/sessions.js';

/** The protections of the protocol, each of which can be taken away. What they protect from is in PROTOCOL.md. */
export const protections: Protections = { ...ofMoves, ...ofClaims, ...ofSessions, ...ofMessages };
