import type { Actor } from '../../kernel/actor.ts';
import type { Log } from '../../kernel/log.ts';
import type { Outlet, Outlets } from './outlets.ts';

export interface TrackStreamDeps {
  outlets: Outlets;
  /** For what happens after the function has returned its answer. The log of the invocation is closed then. */
  processLog: Log;
}

/** What an answer that goes on after its function has returned needs to know about its request. */
interface StreamedRequest {
  caller: Actor;
  invocationId: string;
  functionName: string;
}

/**
 * Follows an answer that goes on after its function has returned: gives its place back and writes one log entry when it
 * ends. Gives the place back as well if the client leaves before it reads anything.
 *
 * @param leave gives the place back; may be called twice
 */
export function trackStream<End extends { how: string; error?: unknown }>(
  { outlets, processLog }: TrackStreamDeps,
  { caller, invocationId, functionName: route }: StreamedRequest,
  event: string,
  leave: () => void,
): { outlet: Outlet | undefined; ended: (end: End) => void } {
  const outlet = outlets.find(invocationId);
  // If nobody reads the answer, its iteration never begins.
  outlet?.onClose(leave);
  const startedAt = performance.now();
  const ended = (end: End) => {
    leave();
    processLog(end.how === 'failed' ? 'error' : 'info', event, {
      requestId: invocationId,
      route,
      customerId: caller.customerId,
      ms: Math.round(performance.now() - startedAt),
      ...end,
    });
  };
  return { outlet, ended };
}
