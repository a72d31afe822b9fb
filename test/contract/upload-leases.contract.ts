import { describe, expect, it } from 'vitest';
import type { UploadLease, UploadLeaseStore } from '../../shared/imports/upload/upload-lease-store.ts';

const START = Date.parse('2026-06-01T00:00:00Z');
const at = (seconds: number) => new Date(START + seconds * 1000);
let serial = 0;

/** What every UploadLeaseStore promises. Runs against the fake and against Table Storage. */
export function describeUploadLeases(name: string, open: () => UploadLeaseStore): void {
  describe(`UploadLeaseStore: ${name}`, () => {
    const newConnection = () => ({ customerId: 'cust_leases', connectionId: `conn_l${++serial}` });
    const lease = (of: ReturnType<typeof newConnection>, holder: string, until: Date): UploadLease => ({
      ...of,
      holder,
      until,
    });

    it('gives the lease of a connection to one holder, until it is released', async () => {
      const store = open();
      const of = newConnection();
      const first = await store.take(lease(of, 'a', at(15)), at(0));
      expect(first).toEqual(expect.any(String));
      expect(await store.take(lease(of, 'b', at(20)), at(5))).toBeUndefined();
      expect(await store.take(lease(newConnection(), 'b', at(20)), at(5))).toEqual(expect.any(String));
      await store.release(lease(of, 'a', at(15)), first ?? '');
      expect(await store.take(lease(of, 'b', at(20)), at(5))).toEqual(expect.any(String));
    });

    it('gives it to one of many that ask at the same time, also when an old one has ended', async () => {
      const store = open();
      const of = newConnection();
      for (const [until, now] of [
        [at(15), at(0)],
        [at(40), at(16)],
      ] as const) {
        const asking = Array.from({ length: 6 }, () => store.take(lease(of, `h${++serial}`, until), now));
        expect((await Promise.all(asking)).filter((tag) => tag !== undefined)).toHaveLength(1);
      }
    });

    it('recognises its own lease if the answer to a first try was lost', async () => {
      const store = open();
      const mine = lease(newConnection(), 'a', at(15));
      await store.take(mine, at(0));
      const tag = await store.take(mine, at(0));
      expect(await store.renew({ ...mine, until: at(30) }, tag ?? '')).toEqual(expect.any(String));
    });

    it('keeps a renewed lease, and tells a holder that has lost it', async () => {
      const store = open();
      const mine = lease(newConnection(), 'a', at(15));
      const other = { ...mine, holder: 'b', until: at(60) };
      const taken = await store.take(mine, at(0));
      const renewed = await store.renew({ ...mine, until: at(30) }, taken ?? '');
      expect(await store.take(other, at(20))).toBeUndefined();
      expect(await store.take(other, at(31))).toEqual(expect.any(String));
      expect(await store.renew({ ...mine, until: at(90) }, renewed ?? '')).toBeUndefined();
      // The release of a lost lease takes nothing away from its new holder.
      await store.release(mine, renewed ?? '');
      expect(await store.take({ ...mine, holder: 'c' }, at(32))).toBeUndefined();
    });
  });
}
