import { describe, expect, it } from 'vitest';
import { readCanonical, writeCanonical } from '../../../../shared/imports/upload/canonical-rows.ts';
import { parseRow } from '../../../../shared/imports/upload/parse-row.ts';
import { parseMailboxList } from '../../../../shared/imports/upload/read-json.ts';
import { readUpload, uploadTypes } from '../../../../shared/imports/upload/read-upload.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';

const readJson = (body: unknown) => readUpload(uploadTypes.rows, writeCanonical(parseMailboxList(body)), uploadLimits);

describe('mailboxes as JSON', () => {
  it('judges each as a row of a CSV: its place is its line, its fault a finding', async () => {
    const reading = await readJson({
      mailboxes: [
        { address: 'Jane@contoso.com', displayName: 'Jane', dailyLimit: 50, reference: 'r-1' },
        { address: 'nobody' },
        { address: 'bob@contoso.com', dailyLimit: 0.5 },
      ],
    });
    expect(reading.columns).toEqual({
      used: { address: 'address', displayName: 'displayName', dailyLimit: 'dailyLimit', reference: 'reference' },
      ignored: [],
    });
    expect(await Array.fromAsync(reading.rows)).toEqual([
      { line: 1, ok: true, address: 'jane@contoso.com', displayName: 'Jane', dailyLimit: 50, reference: 'r-1' },
      expect.objectContaining({ line: 2, ok: false, code: 'address_malformed' }),
      expect.objectContaining({ line: 3, ok: false, code: 'daily_limit_invalid' }),
    ]);
  });

  it('names every wrong and every unknown field at once', () => {
    const body = {
      mailboxes: [{ address: 1, name: 'x' }, { address: 'a@contoso.com', dailyLimit: '5' }, {}],
      dryRun: 1,
    };
    expect(() => parseMailboxList(body)).toThrow(
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

  it.each([{}, { mailboxes: [] }, null, 'x', [], { mailboxes: 'a@contoso.com' }])('refuses %j', (body) => {
    expect(() => parseMailboxList(body)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it('reads back what was stored: the same rows, wherever the pieces end', async () => {
    const body = {
      mailboxes: [
        { address: ' Jane@contoso.com', displayName: 'two\nlines "x"' },
        { address: '', reference: 'Ζωή 😀' },
        ...Array.from({ length: 2000 }, (_, i) => ({ address: `user${i}@contoso.com`, dailyLimit: (i % 20) - 1 })),
      ],
    };
    const before = body.mailboxes.map((mailbox, place) => parseRow(place + 1, mailbox, uploadLimits));
    const stored = Buffer.concat(await Array.fromAsync(writeCanonical(parseMailboxList(body))));
    for (const sizes of [[7], [65_536]]) {
      expect(await Array.fromAsync(readCanonical(chunksOf(stored, sizes), uploadLimits))).toEqual(before);
    }
  });

  it('refuses to read a stored list that is cut off', async () => {
    const stored = Buffer.concat(await Array.fromAsync(writeCanonical([{ address: 'a@contoso.com' }])));
    await expect(Array.fromAsync(readCanonical(chunksOf(stored.subarray(0, -1)), uploadLimits))).rejects.toThrow(
      'cut off',
    );
  });
});
