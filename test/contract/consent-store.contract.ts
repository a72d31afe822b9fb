import { describe, expect, it } from 'vitest';
import type { ConsentRequest, ConsentStore } from '../../shared/connections/consent/consent-store.ts';

let serial = 0;

/** What every ConsentStore promises. Runs against the fake and against Table Storage. */
export function describeConsentStore(name: string, open: () => ConsentStore): void {
  describe(`ConsentStore: ${name}`, () => {
    const aRequest = (change: Partial<ConsentRequest> = {}): ConsentRequest => ({
      step: 'consent',
      stateHash: `hash-${++serial}`,
      customerId: 'cust_1',
      connectionId: 'conn_1',
      expiresAt: new Date('2026-06-01T01:00:00Z'),
      ...change,
    });
    const at = new Date('2026-06-01T00:30:00Z');

    it('returns what was inserted, also if it was inserted twice', async () => {
      const store = open();
      const request = aRequest();
      expect(await store.get(request.stateHash)).toBeUndefined();
      await Promise.all([store.insert(request), store.insert(request)]);
      expect(await store.get(request.stateHash)).toEqual(request);
    });

    it('returns what later steps need', async () => {
      const store = open();
      const signIn = aRequest({ step: 'signIn', signIn: { nonce: 'n', codeVerifier: 'v' } });
      const confirm = aRequest({ step: 'confirm', adminId: 'admin' });
      for (const request of [signIn, confirm]) {
        await store.insert(request);
        expect(await store.get(request.stateHash)).toEqual(request);
      }
    });

    it('lets a link be used once, also by several at the same time', async () => {
      const store = open();
      const request = aRequest();
      await store.insert(request);
      const used = await Promise.all([1, 2, 3].map(() => store.use(request.stateHash, at)));
      expect(used.filter(Boolean)).toHaveLength(1);
      expect(await store.get(request.stateHash)).toEqual({ ...request, usedAt: at });
      expect(await store.use('unknown', at)).toBe(false);
    });

    it('removes the links that expired before an instant, used or not, and no others', async () => {
      const store = open();
      const links = ['2026-03-01', '2026-03-02', '2026-03-03'].map((day) =>
        aRequest({ expiresAt: new Date(`${day}T00:00:00Z`) }),
      );
      for (const link of links) await store.insert(link);
      await store.use(links[0]?.stateHash ?? '', at);
      await store.removeExpired(new Date('2026-03-03T00:00:00Z'));
      await store.removeExpired(new Date('2026-03-03T00:00:00Z'));
      expect((await Promise.all(links.map((one) => store.get(one.stateHash)))).map(Boolean)).toEqual([
        false,
        false,
        true,
      ]);
    });

    it('removes the links of a connection, or of a customer, and no others. Repeatable', async () => {
      const store = open();
      const unique = ++serial;
      const [customerId, connectionId] = [`cust_${unique}`, `conn_${unique}`];
      const [mine, used] = [aRequest({ customerId, connectionId }), aRequest({ customerId, connectionId })];
      const other = aRequest({ customerId, connectionId: `${connectionId}x` });
      const foreign = aRequest();
      for (const request of [mine, used, other, foreign]) await store.insert(request);
      await store.use(used.stateHash, at);
      const left = async () =>
        (await Promise.all([mine, used, other, foreign].map((one) => store.get(one.stateHash)))).map(Boolean);
      await store.remove(mine.connectionId);
      await store.remove(mine.connectionId);
      expect(await left()).toEqual([false, false, true, true]);
      await store.purge(customerId);
      await store.purge(customerId);
      expect(await left()).toEqual([false, false, false, true]);
      expect(await store.use(used.stateHash, at)).toBe(false);
    });
  });
}
