import { beforeEach, describe, expect, it } from 'vitest';
import { receiveUpload } from '../../shared/imports/upload/receive-upload.ts';
import type { UploadStore } from '../../shared/imports/upload/upload-store.ts';
import { chunksOf, uploadLimits } from '../support/upload-bytes.ts';

async function textOf(found: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  return found && Buffer.concat(await Array.fromAsync(found)).toString();
}

/** What every UploadStore promises. Run against the fake and against blob storage alike. */
export function describeUploadStore(name: string, create: () => Promise<UploadStore>): void {
  describe(`UploadStore: ${name}`, () => {
    let store: UploadStore;
    beforeEach(async () => {
      store = await create();
    });

    it('gives back what was put in, byte for byte', async () => {
      const text = 'email\n'.concat('jürgen@contoso.com\n'.repeat(200_000));
      expect(await store.put('cust_1', 'imp_1', chunksOf(text, [70_000, 3]), 'text/csv')).toEqual({
        bytes: Buffer.byteLength(text),
      });
      expect(await textOf(await store.read('cust_1', 'imp_1'))).toBe(text);
    });

    it('takes an empty upload for one', async () => {
      expect(await store.put('cust_1', 'imp_1', chunksOf(''), 'text/csv')).toEqual({ bytes: 0 });
      expect(await textOf(await store.read('cust_1', 'imp_1'))).toBe('');
    });

    it('has nothing where nothing was put, and does not show one customer’s to another', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
      expect(await store.read('cust_1', 'imp_2')).toBeUndefined();
      expect(await store.read('cust_2', 'imp_1')).toBeUndefined();
    });

    it('replaces what lay there', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('first, and longer'), 'text/csv');
      await store.put('cust_1', 'imp_1', chunksOf('second'), 'text/csv');
      expect(await textOf(await store.read('cust_1', 'imp_1'))).toBe('second');
    });

    it.each([0, 1000, 5_000_000])('has nothing of a source that fails after %i bytes, and says why', async (bytes) => {
      // Named as an SDK names what it gave up by itself: not to be taken for storage that is away.
      const gone = Object.assign(new Error('the sender has left'), { name: 'AbortError' });
      async function* source() {
        yield* chunksOf(Buffer.alloc(bytes, 'x'));
        throw gone;
      }
      await expect(store.put('cust_1', 'imp_1', source(), 'text/csv')).rejects.toBe(gone);
      expect(await store.read('cust_1', 'imp_1')).toBeUndefined();
    });

    it('removes, and removes again', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
      await store.remove('cust_1', 'imp_1');
      await store.remove('cust_1', 'imp_1');
      expect(await store.read('cust_1', 'imp_1')).toBeUndefined();
    });

    it('purges one customer, and no other whose id begins alike', async () => {
      await store.put('cust_1', 'imp_1', chunksOf('a'), 'text/csv');
      await store.put('cust_1', 'imp_2', chunksOf('b'), 'text/csv');
      await store.put('cust_12', 'imp_3', chunksOf('c'), 'text/csv');
      await store.purge('cust_1');
      await store.purge('cust_1');
      expect(await store.read('cust_1', 'imp_1')).toBeUndefined();
      expect(await store.read('cust_1', 'imp_2')).toBeUndefined();
      expect(await textOf(await store.read('cust_12', 'imp_3'))).toBe('c');
    });

    it('has nothing of a file that is refused at its very end', async () => {
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
