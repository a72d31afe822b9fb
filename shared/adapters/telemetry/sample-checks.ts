import { TraceFlags, trace } from '@opentelemetry/api';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace-base';

/** Spans with these names are as many as mailboxes. */
const FREQUENT = new Set(['check-mailbox']);
const PER_SECOND = 2;
const AT_ONCE = 20;

/**
 * Records what its parent records, and everything without a parent, but only a few checks a second in each process: a
 * large import would otherwise cost more to observe than to run.
 */
export function sampleChecks(now: () => number = Date.now): Sampler {
  let tokens = AT_ONCE;
  let filledAt = now();

  function takeToken(): boolean {
    const at = now();
    tokens = Math.min(AT_ONCE, tokens + ((at - filledAt) / 1000) * PER_SECOND);
    filledAt = at;
    if (tokens < 1) return false;
    tokens--;
    return true;
  }

  return {
    shouldSample(context, _traceId, name) {
      const parent = trace.getSpanContext(context);
      const isDropped = parent !== undefined && (parent.traceFlags & TraceFlags.SAMPLED) === 0;
      if (isDropped || (FREQUENT.has(name) && !takeToken())) return { decision: SamplingDecision.NOT_RECORD };
      return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    },
    toString: () => 'sampleChecks',
  };
}
