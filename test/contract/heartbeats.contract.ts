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

    it('remembers since when a timer is expected, and keeps the first note', async () => {
      const heartbeats = open();
      await heartbeats.expect('never/ran', new Date(2_000));
      await heartbeats.expect('never/ran', new Date(3_000));
      expect(await heartbeats.listExpected()).toEqual([{ timer: 'never/ran', since: new Date(2_000) }]);
      expect((await heartbeats.list()).map(({ timer }) => timer)).not.toContain('never/ran');
    });
  });
}
