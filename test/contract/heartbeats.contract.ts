import { describe, expect, it } from 'vitest';
import type { Heartbeats } from '../../shared/health/heartbeats.ts';

/** What every Heartbeats store promises. Runs against the fake and against Table Storage. */
export function describeHeartbeats(name: string, open: () => Heartbeats): void {
  describe(`Heartbeats: ${name}`, () => {
    it('has the last run of each timer, and when it is due again', async () => {
      const heartbeats = open();
      await heartbeats.beat({ timer: 'sweep', ranAt: new Date(2_000), dueAt: new Date(60_000) });
      await heartbeats.beat({ timer: 'tidy/up', ranAt: new Date(1_000) });
      await heartbeats.beat({ timer: 'sweep', ranAt: new Date(3_000) });
      const listed = await heartbeats.list();
      expect(listed.toSorted((one, other) => (one.timer < other.timer ? -1 : 1))).toEqual([
        { timer: 'sweep', ranAt: new Date(3_000) },
        { timer: 'tidy/up', ranAt: new Date(1_000) },
      ]);
    });
  });
}
