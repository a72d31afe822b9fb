import { describe, expect, it } from 'vitest';
import { readNdjsonRows, writeNdjsonRows } from '../../../../shared/imports/upload/ndjson-rows.ts';
import { parseMailboxList } from '../../../../shared/imports/upload/parse-mailbox-list.ts';
import { parseRow } from '../../../../shared/imports/upload/parse-row.ts';
import { readUpload, uploadTypes } from '../../../../shared/imports/upload/read-upload.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';

const readMailboxList = async (body: unknown) =>
  readUpload(uploadTypes.ndjson, writeNdjsonRows(await parseMailboxList(body)), uploadLimits);

describe('mailboxes as JSON', () => {
  it('parses each mailbox like a CSV row, with its position as the line', async () => {
    const upload = await readMailboxList({
      mailboxes: [
        { address: 'Jane@contoso.com', displayName: 'Jane', dailyLimit: 50, reference: 'r-1' },
        { address: 'nobody' },
        { address: 'bob@contoso.com', dailyLimit: 0.5 },
      ],
    });
    expect(upload.columns).toEqual({
      used: { address: 'address', displayName: 'displayName', dailyLimit: 'dailyLimit', reference: 'reference' },
      ignored: [],
    });
    expect(await Array.fromAsync(upload.rows)).toEqual([
      { line: 1, ok: true, address: 'jane@contoso.com', displayName: 'Jane', dailyLimit: 50, reference: 'r-1' },
      expect.objectContaining({ line: 2, ok: false, code: 'address_malformed' }),
      expect.objectContaining({ line: 3, ok: false, code: 'daily_limit_invalid' }),
    ]);
  });

  it('reads a limit that is a string, and reports a wrong one with its row', async () => {
    const { rows } = await readMailboxList({
      mailboxes: ['50', ' 7 ', '', 'many', '0'].map((dailyLimit) => ({ address: 'a@contoso.com', dailyLimit })),
    });
    const row = (line: number) => ({ line, ok: true, address: 'a@contoso.com' });
    const rejected = (line: number) => expect.objectContaining({ line, ok: false, code: 'daily_limit_invalid' });
    expect(await Array.fromAsync(rows)).toEqual([
      { ...row(1), dailyLimit: 50 },
      { ...row(2), dailyLimit: 7 },
      row(3),
      rejected(4),
      rejected(5),
    ]);
  });

  it('reports all wrong and unknown fields in one error', async () => {
    const body = {
      mailboxes: [{ address: 1, name: 'x' }, { address: 'a@contoso.com', dailyLimit: true }, {}],
      dryRun: 1,
    };
    await expect(parseMailboxList(body)).rejects.toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        fields: expect.arrayContaining(
          ['mailboxes.0.address', 'mailboxes.0.name', 'mailboxes.1.dailyLimit', 'mailboxes.2.address', 'dryRun'].map(
            (path) => expect.objectContaining({ path }),
          ),
        ),
      }),
    );
  });

  it.each([{}, { mailboxes: [] }, null, 'x', [], { mailboxes: 'a@contoso.com' }])('refuses %j', async (body) => {
    await expect(parseMailboxList(body)).rejects.toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it('reads the same rows back from storage, in chunks of any size, and from any row on', async () => {
    const body = {
      mailboxes: [
        { address: ' Jane@contoso.com', displayName: 'two\nlines "x"' },
        { address: '', reference: 'Ζωή 😀' },
        ...Array.from({ length: 2000 }, (_, i) => ({ address: `user${i}@contoso.com`, dailyLimit: (i % 20) - 1 })),
      ],
    };
    const expected = body.mailboxes.map((mailbox, index) => parseRow(index + 1, mailbox, uploadLimits));
    const stored = Buffer.concat(await Array.fromAsync(writeNdjsonRows(await parseMailboxList(body))));
    for (const sizes of [[7], [65_536]]) {
      expect(await Array.fromAsync(readNdjsonRows(chunksOf(stored, sizes), uploadLimits))).toEqual(expected);
      for (const afterLine of [1, 1_000, expected.length]) {
        const rows = await Array.fromAsync(readNdjsonRows(chunksOf(stored, sizes), uploadLimits, afterLine));
        expect(rows).toEqual(expected.slice(afterLine));
      }
    }
  });

  it('refuses stored rows that are cut off', async () => {
    const stored = Buffer.concat(await Array.fromAsync(writeNdjsonRows([{ address: 'a@contoso.com' }])));
    await expect(Array.fromAsync(readNdjsonRows(chunksOf(stored.subarray(0, -1)), uploadLimits))).rejects.toThrow(
      'cut off',
    );
  });
});
