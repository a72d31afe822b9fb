import { describe, expect, it } from 'vitest';
import { writeCanonical } from '../../../../shared/imports/upload/canonical-rows.ts';
import type { ParsedRow } from '../../../../shared/imports/upload/parsed-row.ts';
import { readUpload, type UploadType } from '../../../../shared/imports/upload/read-upload.ts';
import { receiveUpload } from '../../../../shared/imports/upload/receive-upload.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryUploads } from '../../../fakes/in-memory-uploads.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';

const csv = `email,name\n${Array.from({ length: 5000 }, (_, i) => `user${i}@contoso.com,${i}\n`).join('')}`;

function receive(
  body: AsyncIterable<Uint8Array>,
  {
    uploads = inMemoryUploads(),
    contentType = 'text/csv' as UploadType,
    visit = (_: ParsedRow): void | Promise<void> => {},
  } = {},
) {
  return receiveUpload(
    { uploads, limits: uploadLimits },
    { customerId: 'cust_1', importId: 'imp_1', contentType, body },
    visit,
  );
}

describe('an upload is stored while it is judged', () => {
  it('as it came, with every row visited in order', async () => {
    const uploads = inMemoryUploads();
    const lines: number[] = [];
    const received = await receive(chunksOf(csv, [1000, 3]), { uploads, visit: (row) => void lines.push(row.line) });
    expect(received).toMatchObject({ uploadType: 'text/csv', bytes: csv.length, rows: 5000, valid: 5000 });
    expect(uploads.stored.get('cust_1/imp_1')).toEqual({ bytes: Buffer.from(csv), contentType: 'text/csv' });
    expect(lines).toEqual(Array.from({ length: 5000 }, (_, i) => i + 2));
  });

  it('rows of ours too, and they read back as the same', async () => {
    const uploads = inMemoryUploads();
    const seen: ParsedRow[] = [];
    const contentType = 'application/x-ndjson';
    await receive(writeCanonical([{ address: 'A@c.com' }, { address: 'x' }]), {
      uploads,
      contentType,
      visit: async (row) => void seen.push(row),
    });
    const stored = await uploads.read('cust_1', 'imp_1');
    const again = await readUpload(contentType, stored ?? chunksOf(''), uploadLimits);
    expect(await Array.fromAsync(again.rows)).toEqual(seen);
  });

  it.each([
    ['no text', 'PK\x03\x04xxxx', 'file_not_text'],
    ['no address column', 'first,last\nJane,Doe\n', 'file_no_address_column'],
    ['a quote open at the very end', `${csv}x@contoso.com,"x\n`, 'file_malformed'],
    ['no rows', 'email\n', 'file_empty'],
    ['nothing', '', 'file_empty'],
  ])('leaves nothing of a file that is refused: %s', async (_, text, code) => {
    const uploads = inMemoryUploads();
    await expect(receive(chunksOf(text, [500]), { uploads })).rejects.toMatchObject({ code });
    expect(uploads.stored.size).toBe(0);
  });

  it('leaves nothing when the sender breaks off', async () => {
    const uploads = inMemoryUploads();
    async function* body() {
      yield* chunksOf(csv, [1000]);
      throw new Error('the sender has left');
    }
    await expect(receive(body(), { uploads })).rejects.toThrow('the sender has left');
    expect(uploads.stored.size).toBe(0);
  });

  it('leaves nothing when the visitor refuses', async () => {
    const uploads = inMemoryUploads();
    const visit = (row: ParsedRow) => {
      if (row.line === 3000) throw new DomainError('slot_limit_reached', 'full');
    };
    await expect(receive(chunksOf(csv, [1000]), { uploads, visit })).rejects.toMatchObject({
      code: 'slot_limit_reached',
    });
    expect(uploads.stored.size).toBe(0);
  });

  it('refuses with what the storage said, at whatever moment it fails', async () => {
    for (const taken of [0, 1, 50]) {
      const uploads = inMemoryUploads();
      const away = new DomainError('storage_unavailable', 'away', { retryAfterSeconds: 5 });
      uploads.put = async (_customer, _import, source) => {
        let pieces = 0;
        for await (const _ of source) if (pieces++ >= taken) break;
        throw away;
      };
      await expect(receive(chunksOf(csv, [1000]), { uploads })).rejects.toBe(away);
    }
  });

  it('is as slow as the storage: no piece waits beyond the one being judged', async () => {
    const uploads = inMemoryUploads();
    const gate = Promise.withResolvers<void>();
    const put = uploads.put;
    uploads.put = async (customerId, importId, source, type) => {
      await gate.promise;
      return put(customerId, importId, source, type);
    };
    let given = 0;
    async function* body() {
      for await (const chunk of chunksOf(csv, [1000])) {
        given++;
        yield chunk;
      }
    }
    const received = receive(body(), { uploads });
    await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBeLessThanOrEqual(2);
    gate.resolve();
    expect((await received).bytes).toBe(csv.length);
  });
});
