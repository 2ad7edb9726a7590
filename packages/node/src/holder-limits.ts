import { defaultHolderLimits, type HolderLimits } from '@pinwheel/holder';
import type { CheckedNodeOptions } from './node-options.js';

/** The bounds of what is kept for users, of a node's options. */
export function holderLimits(node: CheckedNodeOptions): HolderLimits {
  const { resumeWindowMs, maxInboxMessages, maxInboxBytes, maxInboxTotalBytes, keepAliveMs } = node;
  return {
    ...defaultHolderLimits,
    resumeWindowMs,
    plainWindowMs: Math.min(resumeWindowMs, defaultHolderLimits.plainWindowMs),
    maxInboxMessages,
    maxInboxBytes,
    maxInboxTotalBytes,
    keepAliveMs,
    maxLinkUnreadBytes: node.maxLinkUnreadBytes,
  };
}
