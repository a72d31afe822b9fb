import { describe, expect, it } from 'vitest';
import type { KeptUpload, KeptUploadStore } from '../../shared/imports/upload/kept-upload.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
let serial = 0;

/** What every KeptUploadStore promises. Runs against the fake and against Table Storage. */
export function describeKeptUploads(name: string, open: () => KeptUploadStore): void {
  describe(`KeptUploadStore: ${name}`, () => {
    const kept = (change: Partial<KeptUpload> = {}): KeptUpload => ({
      customerId: `cust_kept${++serial}`,
      connectionId: 'conn_1',
      importId: `imp_kept${++serial}`,
      uploadType: 'text/csv',
      columns: { used: { address: 'email' }, ignored: ['team'] },
      hash: 'h',
      rows: 3,
      expiresAt: new Date(NOW.getTime() + 1_000),
      ...change,
    });

    it('returns what was put last, to its customer only, until it is removed', async () => {
      const store = open();
      const first = kept();
      const { customerId, importId } = first;
      await store.put(first);
      await store.put({ ...first, rows: 4 });
      expect(await store.get(customerId, importId)).toEqual({ ...first, rows: 4 });
      expect(await store.get('cust_other', importId)).toBeUndefined();
      await store.remove(customerId, importId);
      await store.remove(customerId, importId);
      expect(await store.get(customerId, importId)).toBeUndefined();
    });

    it('counts those of a customer that have not expired, up to a limit', async () => {
      const store = open();
      const { customerId } = kept();
      for (const expiresAt of [NOW, new Date(NOW.getTime() + 1), new Date(NOW.getTime() + 2)]) {
        await store.put(kept({ customerId, expiresAt }));
      }
      await store.put(kept());
      expect(await store.count(customerId, NOW, 10)).toBe(2);
      expect(await store.count(customerId, NOW, 1)).toBe(1);
    });
  });
}
