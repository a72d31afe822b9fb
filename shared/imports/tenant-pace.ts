// Only until the real one is here.
import pLimit from 'p-limit';

export type Pace = {
  run<T>(
    tenant: string,
    check: () => Promise<T>,
    readSignal: (value: T) => PaceSignal,
  ): Promise<{ ran: true; value: T } | { ran: false; seconds: number }>;
  limitOf(tenant: string): number;
};
export type PaceSignal = { kind: 'fine' } | { kind: 'throttled'; seconds?: number } | { kind: 'unwell' };
export function createPace(options: {
  processMost: number;
  tenantFirst: number;
  tenantMost: number;
  waitMs: number;
  now(): number;
  random?: () => number;
}): Pace {
  const limit = pLimit(options.processMost);
  return {
    run: async (_tenant, check) => ({ ran: true, value: await limit(check) }),
    limitOf: () => options.processMost,
  };
}
