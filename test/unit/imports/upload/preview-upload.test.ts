import { describe, expect, it } from 'vitest';
import type { ParsedRow } from '../../../../shared/imports/upload/parsed-row.ts';
import {
  type ExistingMailbox,
  type FindExisting,
  previewUpload,
} from '../../../../shared/imports/upload/preview-upload.ts';
import { readCsv } from '../../../../shared/imports/upload/read-csv.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';

/** A connection with these mailboxes. */
const connectionOf =
  (mailboxes: Record<string, ExistingMailbox>): FindExisting =>
  async (addresses) =>
    new Map(Object.entries(mailboxes).filter(([address]) => addresses.includes(address)));
const noMailboxes = connectionOf({});
const preview = async (csv: string, existing: Parameters<typeof previewUpload>[1] = noMailboxes, free = 10) =>
  previewUpload(await readCsv(chunksOf(csv), uploadLimits), existing, { free });

describe('previews what an import would do', () => {
  it('counts rows and slots, lists findings and shows a sample', async () => {
    const csv = 'email,name,team\na@c.com,A,x\nnobody,,\nA@C.com,,\nb@c.com,,\nc@c.com,,\n';
    const existing = connectionOf({
      'b@c.com': { isTaken: true, holdsSlot: false },
      'c@c.com': { isTaken: false, holdsSlot: true },
    });
    expect(await preview(csv, existing, 7)).toEqual({
      rows: 5,
      accepted: 2,
      rejected: 1,
      duplicates: 2,
      slots: { needed: 1, free: 7 },
      columns: {
        used: { address: 'email', displayName: 'name' },
        ignored: ['team'],
        hasHeader: true,
        delimiter: ',',
        encoding: 'utf-8',
      },
      findings: [
        { line: 3, address: 'nobody', result: 'rejected', code: 'address_malformed', message: expect.any(String) },
        {
          line: 4,
          address: 'a@c.com',
          result: 'duplicate',
          code: 'duplicate_in_file',
          message: expect.stringContaining('line 2'),
          firstLine: 2,
        },
        {
          line: 5,
          address: 'b@c.com',
          result: 'duplicate',
          code: 'duplicate_in_connection',
          message: expect.any(String),
        },
      ],
      findingsOmitted: 0,
      findingCounts: { address_malformed: 1, duplicate_in_file: 1, duplicate_in_connection: 1 },
      sample: [
        { line: 2, address: 'a@c.com', displayName: 'A' },
        { line: 6, address: 'c@c.com' },
      ],
    });
  });

  it('lists 1,000 findings and counts all of them by code, and shows ten rows', async () => {
    const good = Array.from({ length: 30 }, (_, i) => `u${i}@c.com\n`).join('');
    const result = await preview(`email\n${good}${'x\n'.repeat(1500)}`);
    expect(result).toMatchObject({ rows: 1530, accepted: 30, rejected: 1500, findingsOmitted: 500 });
    expect(result.findings).toHaveLength(1000);
    expect(result.findingCounts).toEqual({ address_malformed: 1500 });
    expect(result.sample).toHaveLength(10);
  });

  it('names a mailbox that is taken as such on each of its lines, as planning does', async () => {
    const existing = connectionOf({ 'a@c.com': { isTaken: true, holdsSlot: true } });
    const { duplicates, findings } = await preview('email\na@c.com\nb@c.com\na@c.com\nb@c.com\n', existing);
    expect(duplicates).toBe(3);
    expect(findings.map(({ line, code }) => [line, code])).toEqual([
      [2, 'duplicate_in_connection'],
      [4, 'duplicate_in_connection'],
      [5, 'duplicate_in_file'],
    ]);
  });

  it('lists the warning of a row that it accepts', async () => {
    const warning = { code: 'domain_misspelled', message: 'Did you mean c.com?', suggestion: 'a@c.com' } as const;
    async function* rows(): AsyncGenerator<ParsedRow> {
      yield { line: 2, ok: true, address: 'a@cc.com', warning };
    }
    const result = await previewUpload({ columns: { used: {}, ignored: [] }, rows: rows() }, noMailboxes, { free: 1 });
    expect(result).toMatchObject({ accepted: 1, findingCounts: { domain_misspelled: 1 } });
    expect(result.findings).toEqual([{ line: 2, address: 'a@cc.com', result: 'accepted', ...warning }]);
    expect(result.sample).toEqual([{ line: 2, address: 'a@cc.com' }]);
  });

  it('rejects a file with an error at its end', async () => {
    await expect(preview('email\na@c.com\n"b@c.com\n')).rejects.toMatchObject({ code: 'file_malformed' });
  });
});
