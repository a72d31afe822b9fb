import type { Heartbeats } from '../../shared/health/heartbeats.ts';

/** Heartbeats of timers in memory. */
export function inMemoryHeartbeats(): Heartbeats {
  const beats = new Map<string, Date>();
  return {
    async beat(timer, at) {
      beats.set(timer, at);
    },
    async latest() {
      const last = Math.max(...[...beats.values()].map((at) => at.getTime()));
      return Number.isFinite(last) ? new Date(last) : undefined;
    },
  };
}
