import { describe, expect, it } from 'vitest';
import type { MessagePoolStore, PoolClaim } from '../../shared/imports/dispatching/message-pool.ts';
import { RECORDS_NOW as NOW } from '../support/records.ts';

/** What every MessagePoolStore promises. Runs against the fake and against Table Storage. */
export function describeMessagePoolStore(name: string, open: () => MessagePoolStore): void {
  describe(`MessagePoolStore: ${name}`, () => {
    const aClaim = (importId: string): PoolClaim => ({
      importId,
      customerId: 'cust_1',
      at: NOW,
      outstanding: 24,
      flightMs: 312.5,
      isLimited: false,
      givesWay: true,
    });

    it('returns the claims that were put and not removed, each once', async () => {
      const store = open();
      await store.putClaim(aClaim('imp_pool1'));
      await store.putClaim({ ...aClaim('imp_pool1'), isLimited: true });
      await store.putClaim(aClaim('imp_pool2'));
      await store.removeClaim('imp_pool2');
      await store.removeClaim('imp_pool2');
      const { claims } = await store.read();
      const own = claims.filter(({ importId }) => importId.startsWith('imp_pool'));
      expect(own).toEqual([{ ...aClaim('imp_pool1'), isLimited: true }]);
      await store.removeClaim('imp_pool1');
    });

    it('lets one writer at a time change the size', async () => {
      const store = open();
      const before = (await store.read()).size?.tag;
      const tag = await store.putSize({ total: 256, at: NOW }, before);
      expect(tag).toEqual(expect.any(String));
      expect(await store.putSize({ total: 300, at: NOW }, before)).toBeUndefined();
      expect((await store.read()).size).toEqual({ value: { total: 256, at: NOW }, tag });
      expect(await store.putSize({ total: 294.4, at: NOW }, tag)).toEqual(expect.any(String));
      expect((await store.read()).size?.value.total).toBe(294.4);
    });
  });
}
