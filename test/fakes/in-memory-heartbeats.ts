import type { Heartbeat, Heartbeats } from '../../shared/health/heartbeats.ts';

/** Heartbeats of timers in memory. */
export function inMemoryHeartbeats(): Heartbeats {
  const beats = new Map<string, Heartbeat>();
  return {
    async beat(heartbeat) {
      beats.set(heartbeat.timer, heartbeat);
    },
    list: async () => [...beats.values()],
  };
}
