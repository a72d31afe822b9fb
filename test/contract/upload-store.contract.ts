import { beforeEach, describe, expect, it } from 'vitest';
import { receiveUpload } from '../../shared/imports/upload/receive-upload.ts';
import type { UploadStore } from '../../shared/imports/upload/upload-store.ts';
import { chunksOf, uploadLimits } from '../support/upload-bytes.ts';

async function textOf(found: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  return found && Buffer.concat(await Array.fromAsync(found)).toString();
}

/** What every UploadStore promises. Runs against the fake and against blob storage. */
export function describeUploadStore(name: string, create: () => Promise<UploadStore>): void {
  describe(`UploadStore: ${name}`, () => {
    let store: UploadStore;
    beforeEach(async () => {
      store = await create();
    });

    it('returns what was stored, byte for byte', async () => {
      const text = 'email\n'.concat('jürgen@contoso.com\n'.repeat(200_000));
      expect(await store.put('cust_1', 'imp_1', chunksOf(text, [70_000, 3]), 'text/csv')).toEqual({
        bytes: Buffer.byteLength(text),
      });
      expect(await textOf(await store.read('cust_1', 'imp_1'))).toBe(text);
    });

    it('stores an empty upload', async () => {
      expect(await store.put('cust_1', 'imp_1', chunksOf(''), 'text/csv')).toEqual({ bytes: 0 });
      expect(await textOf(await store.read('cust_1', 'imp_1'))).toBe('');
    });

    it('returns nothing for an absent upload or for another customer’s', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
      expect(await store.read('cust_1', 'imp_2')).toBeUndefined();
      expect(await store.read('cust_2', 'imp_1')).toBeUndefined();
    });

    it('replaces an upload', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('first, and longer'), 'text/csv');
      await store.put('cust_1', 'imp_1', chunksOf('second'), 'text/csv');
      expect(await textOf(await store.read('cust_1', 'imp_1'))).toBe('second');
    });

    it.each([0, 1000, 5_000_000])(
      'stores nothing if the source fails after %i bytes, and rejects with its error',
      async (bytes) => {
        // The SDK uses the same name when it gives up. It must not count as unavailable storage.
        const gone = Object.assign(new Error('the client disconnected'), { name: 'AbortError' });
        async function* source() {
          yield* chunksOf(Buffer.alloc(bytes, 'x'));
          throw gone;
        }
        await expect(store.put('cust_1', 'imp_1', source(), 'text/csv')).rejects.toBe(gone);
        expect(await store.read('cust_1', 'imp_1')).toBeUndefined();
      },
    );

    it('removes an upload, also twice', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
      await store.remove('cust_1', 'imp_1');
      await store.remove('cust_1', 'imp_1');
      expect(await store.read('cust_1', 'imp_1')).toBeUndefined();
    });

    it('purges one customer, and no other whose ID has the same prefix', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
      await store.put('cust_1', 'imp_2', chunksOf('b'), 'text/csv');
      await store.put('cust_12', 'imp_3', chunksOf('c'), 'text/csv');
      await store.purge('cust_1');
      await store.purge('cust_1');
      expect(await store.read('cust_1', 'imp_1')).toBeUndefined();
      expect(await store.read('cust_1', 'imp_2')).toBeUndefined();
      expect(await textOf(await store.read('cust_12', 'imp_3'))).toBe('c');
    });

    it('stores nothing of a file that is refused at its very end', async () => {
      const csv = `email,name\n${'jane@contoso.com,Jane\n'.repeat(100_000)}bob@contoso.com,"Bob\n`;
      const upload = { customerId: 'cust_1', importId: 'imp_1', contentType: 'text/csv', body: chunksOf(csv) } as const;
      await expect(receiveUpload({ uploads: store, limits: uploadLimits }, upload)).rejects.toMatchObject({
        code: 'file_malformed',
        members: { line: 100_002 },
      });
      expect(await store.read('cust_1', 'imp_1')).toBeUndefined();
    });
  });
}
