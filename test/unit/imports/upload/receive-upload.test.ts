import { describe, expect, it } from 'vitest';
import { writeNdjsonRows } from '../../../../shared/imports/upload/ndjson-rows.ts';
import type { ParsedRow } from '../../../../shared/imports/upload/parsed-row.ts';
import { readUpload, type UploadType } from '../../../../shared/imports/upload/read-upload.ts';
import { receiveUpload } from '../../../../shared/imports/upload/receive-upload.ts';
import type { UploadStore } from '../../../../shared/imports/upload/upload-store.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryUploads } from '../../../fakes/in-memory-uploads.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';

const csv = `email,name\n${Array.from({ length: 5000 }, (_, i) => `user${i}@contoso.com,${i}\n`).join('')}`;

function receive(
  body: AsyncIterable<Uint8Array>,
  {
    uploads = inMemoryUploads(),
    contentType = 'text/csv',
    visit = () => {},
  }: {
    uploads?: UploadStore;
    contentType?: UploadType;
    visit?: (row: ParsedRow) => void | Promise<void>;
  } = {},
) {
  return receiveUpload(
    { uploads, limits: uploadLimits },
    { customerId: 'cust_1', importId: 'imp_1', contentType, body },
    visit,
  );
}

describe('stores an upload while parsing it', () => {
  it('stores a CSV unchanged, and visits every row in order', async () => {
    const uploads = inMemoryUploads();
    const lines: number[] = [];
    const received = await receive(chunksOf(csv, [1000, 3]), { uploads, visit: (row) => void lines.push(row.line) });
    expect(received).toMatchObject({ uploadType: 'text/csv', bytes: csv.length, rows: 5000, valid: 5000 });
    expect(uploads.stored.get('cust_1/imp_1')).toEqual({ bytes: Buffer.from(csv), contentType: 'text/csv' });
    expect(lines).toEqual(Array.from({ length: 5000 }, (_, i) => i + 2));
  });

  it('stores NDJSON rows, which read back as the same rows', async () => {
    const uploads = inMemoryUploads();
    const visited: ParsedRow[] = [];
    const contentType = 'application/x-ndjson';
    await receive(writeNdjsonRows([{ address: 'A@c.com' }, { address: 'x' }]), {
      uploads,
      contentType,
      visit: async (row) => void visited.push(row),
    });
    const stored = await uploads.read('cust_1', 'imp_1');
    const upload = await readUpload(contentType, stored ?? chunksOf(''), uploadLimits);
    expect(await Array.fromAsync(upload.rows)).toEqual(visited);
  });

  it.each([
    ['not text', 'PK\x03\x04xxxx', 'file_not_text'],
    ['no address column', 'first,last\nJane,Doe\n', 'file_no_address_column'],
    ['an unclosed quote on the last line', `${csv}x@contoso.com,"x\n`, 'file_malformed'],
    ['no rows', 'email\n', 'file_empty'],
    ['no bytes', '', 'file_empty'],
  ])('stores nothing of a refused file: %s', async (_, text, code) => {
    const uploads = inMemoryUploads();
    await expect(receive(chunksOf(text, [500]), { uploads })).rejects.toMatchObject({ code });
    expect(uploads.stored.size).toBe(0);
  });

  it('stores nothing when the sender disconnects', async () => {
    const uploads = inMemoryUploads();
    async function* body() {
      yield* chunksOf(csv, [1000]);
      throw new Error('the sender disconnected');
    }
    await expect(receive(body(), { uploads })).rejects.toThrow('the sender disconnected');
    expect(uploads.stored.size).toBe(0);
  });

  it('stores nothing when the visitor throws', async () => {
    const uploads = inMemoryUploads();
    const visit = (row: ParsedRow) => {
      if (row.line === 3000) throw new DomainError('slot_limit_reached', 'full');
    };
    await expect(receive(chunksOf(csv, [1000]), { uploads, visit })).rejects.toMatchObject({
      code: 'slot_limit_reached',
    });
    expect(uploads.stored.size).toBe(0);
  });

  it('rejects with the error of the storage, whether it fails early or late', async () => {
    for (const chunksTaken of [0, 1, 50]) {
      const uploads = inMemoryUploads();
      const unavailable = new DomainError('storage_unavailable', 'unavailable', { retryAfterSeconds: 5 });
      uploads.put = async (_customer, _import, source) => {
        let chunks = 0;
        for await (const _ of source) if (chunks++ >= chunksTaken) break;
        throw unavailable;
      };
      await expect(receive(chunksOf(csv, [1000]), { uploads })).rejects.toBe(unavailable);
    }
  });

  it('waits for the storage: reads at most one chunk ahead', async () => {
    const uploads = inMemoryUploads();
    const gate = Promise.withResolvers<void>();
    const put = uploads.put;
    uploads.put = async (customerId, importId, source, type) => {
      await gate.promise;
      return put(customerId, importId, source, type);
    };
    let sent = 0;
    async function* body() {
      for await (const chunk of chunksOf(csv, [1000])) {
        sent++;
        yield chunk;
      }
    }
    const received = receive(body(), { uploads });
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThanOrEqual(2);
    gate.resolve();
    expect((await received).bytes).toBe(csv.length);
  });
});
