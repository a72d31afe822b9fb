import type { TenantPace } from '../imports/pacing/tenant-pace.ts';
import type { ReadPhase } from './directory-record.ts';

const ASK_AGAIN_MS = 15_000;
/** A page has hundreds of users and counts as one or two requests, so it may go on beside an import. */
const PAGE_SPACING_MS = 2_000;

/**
 * How long the reader waits before its next request, because of the imports of the same tenant and app. They come first:
 * while Microsoft limits them, no mailbox is asked for the directory, and pages are read slowly.
 */
export function waitForImports(pace: TenantPace | undefined, phase: ReadPhase, now: number): number {
  if (!pace || pace.mode === 'free') return 0;
  const isShared = Object.values(pace.sharers).some((until) => until > now);
  if (!isShared) return Math.max(0, pace.holdUntil - now);
  if (pace.mode === 'down' || phase === 'judge') return ASK_AGAIN_MS;
  return Math.max(PAGE_SPACING_MS, pace.holdUntil - now);
}
