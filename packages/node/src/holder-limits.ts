import { defaultHolderLimits, type HolderLimits } from '@pinwheel/holder';
import type { CheckedNodeOptions } from './node-options.js';

/** Of the deadline of a claim; the rest is for handing over who was ready just then. */
const claimWaitPart = 0.6;

/** The bounds of what is kept for users, of a node's options. */
export function holderLimits(node: CheckedNodeOptions): HolderLimits {
  const { resumeWindowMs, maxInboxMessages, maxInboxBytes, maxInboxTotalBytes, keepAliveMs } = node;
  return {
    ...defaultHolderLimits,
    resumeWindowMs,
    claimWaitMs: Math.min(defaultHolderLimits.claimWaitMs, claimWaitPart * node.deadlineMs),
    plainWindowMs: Math.min(resumeWindowMs, defaultHolderLimits.plainWindowMs),
    maxInboxMessages,
    maxInboxBytes,
    maxInboxTotalBytes,
    keepAliveMs,
    maxLinkUnreadBytes: node.maxLinkUnreadBytes,
  };
}
