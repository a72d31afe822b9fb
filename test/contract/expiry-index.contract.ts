import { describe, expect, it } from 'vitest';
import type { ExpiryIndex } from '../../shared/connections/expiry/expiry-index.ts';
import { RECORDS_NOW } from '../support/records.ts';

const DAY_MS = 86_400_000;
const day = (number: number) => new Date(RECORDS_NOW.getTime() + number * DAY_MS);
let serial = 0;

/** What every ExpiryIndex promises. Runs against the fake and against Table Storage. */
export function describeExpiryIndex(name: string, create: () => ExpiryIndex): void {
  describe(`ExpiryIndex: ${name}`, () => {
    const entry = (customerId: string, days: number) => ({
      customerId,
      connectionId: `conn_${++serial}`,
      expiresAt: day(days),
      notedAt: RECORDS_NOW,
    });

    it('lists soonest first, up to an instant, in pages, of one customer or of all', async () => {
      const index = create();
      const [acme, globex] = [`cust_x${++serial}`, `cust_y${serial}`];
      const [late, soon, other, next] = [entry(acme, 9), entry(acme, 1), entry(globex, 2), entry(acme, 3)];
      for (const one of [late, soon, other, next]) await index.put(one);
      await index.put(soon);
      const first = await index.list(acme, { until: day(3), limit: 1 });
      expect(first.items).toEqual([soon]);
      const rest = await index.list(acme, {
        until: day(3),
        limit: 5,
        ...(first.cursor !== undefined && { cursor: first.cursor }),
      });
      expect(rest).toEqual({ items: [next] });
      const all = (await index.list(undefined, { until: day(9), limit: 500 })).items;
      const ours = all.filter(({ customerId }) => [acme, globex].includes(customerId));
      expect(ours).toEqual([soon, other, next, late]);
    });

    it('removes an entry, also twice, and everything of one customer', async () => {
      const index = create();
      const [acme, globex] = [`cust_x${++serial}`, `cust_y${serial}`];
      const [one, two, other] = [entry(acme, 1), entry(acme, 2), entry(globex, 1)];
      for (const each of [one, two, other]) await index.put(each);
      await index.remove(one);
      await index.remove(one);
      expect((await index.list(acme, { until: day(9), limit: 5 })).items).toEqual([two]);
      await index.purge(acme);
      const left = await Array.fromAsync(index.each());
      expect(left.filter(({ customerId }) => customerId === acme)).toEqual([]);
      expect((await index.list(globex, { until: day(9), limit: 5 })).items).toEqual([other]);
    });
  });
}
