import type { Heartbeat, Heartbeats } from '../../shared/health/heartbeats.ts';

/** Heartbeats of timers in memory. */
export function inMemoryHeartbeats(): Heartbeats {
  const beats = new Map<string, Heartbeat>();
  const expected = new Map<string, Date>();
  return {
    async beat(heartbeat) {
      beats.set(heartbeat.timer, heartbeat);
    },
    list: async () => [...beats.values()],
    async expect(timer, since) {
      if (!expected.has(timer)) expected.set(timer, since);
    },
    listExpected: async () => [...expected].map(([timer, since]) => ({ timer, since })),
  };
}
