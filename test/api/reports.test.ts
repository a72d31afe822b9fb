import { describe, expect, it } from 'vitest';
import { causes } from '../../shared/causes/causes.ts';
import type { Import } from '../../shared/imports/import.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { createApi } from '../support/api.ts';
import { aConnection, anImport, aPlan, aRow, aTally, RECORDS_NOW } from '../support/records.ts';

const counts = {
  rows: 5,
  accepted: 3,
  rejected: 1,
  duplicates: 1,
  pending: 0,
  waiting: 0,
  passed: 1,
  failed: 1,
  inconclusive: 0,
  cancelled: 1,
};
const rows: Row[] = [
  aRow({
    line: 2,
    state: 'passed',
    verdicts: { 'graph.readWrite': 'passed' },
    checkedAt: RECORDS_NOW,
    displayName: 'Jane',
  }),
  aRow({ line: 3, state: 'failed', cause: 'mailbox_not_found', dailyLimit: 5, reference: 'r-3' }),
  aRow({ line: 4, state: 'duplicate', code: 'duplicate_in_file', message: 'Already on line 2.' }),
  aRow({
    line: 5,
    state: 'rejected',
    address: 'nobody',
    code: 'address_malformed',
    message: 'Not valid.',
    dailyLimitAsSent: 'x',
  }),
  aRow({ line: 6, state: 'cancelled' }),
];

async function anApiWith(change: Partial<Import>, stored: readonly Row[] = rows) {
  const api = createApi();
  const { id: customerId, key } = await api.customer({ role: 'viewer' });
  await api.deps.connections.insert(aConnection({ customerId, name: 'Contoso' }));
  await api.deps.imports.insert(anImport({ customerId, ...change }));
  await api.deps.ledger.commit(
    'conn_1',
    stored.map((row) => ({ op: 'createRow', row })),
  );
  const get = (path: string) => api.request('GET', `/v1/imports/imp_1/${path}`, { key });
  return { api, get };
}

describe('the reports of an import', () => {
  it('200: report.csv has every row in the order of the file, and a name for the file', async () => {
    const { get } = await anApiWith({ status: 'completed', counts });
    const answer = await get('report.csv');
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="contoso-2026-06-01-0000-report.csv"',
      'muster-import-status': 'completed',
      'cache-control': 'no-store',
    });
    const lines = (await answer.text()).trimEnd().split('\r\n');
    expect(lines.slice(1).map((line) => line.split(',').slice(0, 3).join(' '))).toEqual([
      '2 user2@contoso.example passed',
      '3 user3@contoso.example failed',
      '4 user4@contoso.example duplicate',
      '5 nobody rejected',
      '6 user6@contoso.example cancelled',
    ]);
  });

  it('200: failed.csv has the rows to correct, with the delimiter that is asked for', async () => {
    const { get } = await anApiWith({ status: 'completed', counts });
    const addresses = async (query: string) =>
      (await (await get(`failed.csv?delimiter=semicolon${query}`)).text())
        .trimEnd()
        .split('\r\n')
        .map((line) => line.split(';')[0]);
    expect(await addresses('')).toEqual(['email_address', 'user3@contoso.example', 'nobody']);
    expect(await addresses('&cancelled=true')).toEqual([
      'email_address',
      'user3@contoso.example',
      'nobody',
      'user6@contoso.example',
    ]);
  });

  it('200: report.json has each row on a line, as documented', async () => {
    const { get } = await anApiWith({ status: 'completed', counts });
    const answer = await get('report.json');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await answer.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(5);
    expect(lines[0]).toEqual({
      line: 2,
      address: 'user2@contoso.example',
      state: 'passed',
      mailbox: 'user2@contoso.example',
      verdicts: { 'graph.readWrite': 'passed' },
      checkedAt: '2026-06-01T00:00:00.000Z',
      displayName: 'Jane',
    });
    expect(lines[3]).toMatchObject({ code: 'address_malformed', detail: 'Not valid.', dailyLimit: 'x' });
  });

  it('200: a running import says so, in a header and in the name of the file', async () => {
    const { get } = await anApiWith({ status: 'running' });
    const answer = await get('report.csv');
    expect(answer.headers.get('muster-import-status')).toBe('running');
    expect(answer.headers.get('content-disposition')).toContain('report-unfinished.csv');
  });

  it('200: an import without rows has a report without rows', async () => {
    const { get } = await anApiWith({ status: 'accepted' }, []);
    expect((await (await get('failed.csv')).text()).split('\r\n')).toHaveLength(2);
    expect(await (await get('report.json')).text()).toBe('');
  });

  it('410: the rows have been deleted', async () => {
    const { get } = await anApiWith({ status: 'completed', counts }, []);
    for (const path of ['report.csv', 'failed.csv', 'report.json']) {
      const answer = await get(path);
      expect(answer.status).toBe(410);
      expect(await answer.json()).toMatchObject({ code: 'gone', detail: expect.stringContaining('have been deleted') });
    }
  });

  it('503: storage is unavailable when the report begins', async () => {
    const { api, get } = await anApiWith({ status: 'completed', counts });
    api.deps.ledger.findRows = async () => {
      throw new DomainError('storage_unavailable', 'Unavailable.');
    };
    expect((await get('report.csv')).status).toBe(503);
  });

  it('a report in which storage fails midway, or that lacks rows, does not end like a whole one', async () => {
    const { get, api } = await anApiWith({ status: 'completed', counts: { ...counts, rows: 6 } });
    await expect(get('report.csv')).rejects.toThrow('5 rows for a report, and counted 6');
    expect(api.deps.processEvents).toMatchObject([{ level: 'error', event: 'download_ended', how: 'failed' }]);
  });

  it('404: hides the reports of another customer’s import', async () => {
    const { api } = await anApiWith({ status: 'completed', counts });
    const { key } = await api.customer();
    for (const path of ['report.csv', 'failed.csv', 'report.json']) {
      expect((await api.request('GET', `/v1/imports/imp_1/${path}`, { key })).status).toBe(404);
    }
  });
});

describe('the summary of an import', () => {
  const examples = [{ line: 3, address: 'user3@contoso.example' }];
  const store = async (change: Partial<Import>) => {
    const world = await anApiWith(change);
    const findingCounts = { address_malformed: 1, duplicate_in_file: 1 };
    const findingExamples = { address_malformed: [{ line: 5, address: 'nobody' }], duplicate_in_file: [{ line: 4 }] };
    await world.api.deps.ledger.commit('conn_1', [
      { op: 'createPlan', plan: aPlan({ done: true, rows: 5, findingCounts, findingExamples }) },
      { op: 'writeTally', tally: aTally({ causes: { mailbox_not_found: { count: 1, examples } } }) },
    ]);
    return world;
  };

  it('200: has each cause once, with its sentence, its fix and examples, and the findings of the file', async () => {
    const { get } = await store({ status: 'completed', counts });
    const answer = await get('summary');
    expect(answer.headers.has('retry-after')).toBe(false);
    const { sentence, fix, link } = causes.mailbox_not_found;
    expect(await answer.json()).toEqual({
      importId: 'imp_1',
      connectionId: 'conn_1',
      status: 'completed',
      counts,
      finding: null,
      causes: [
        {
          cause: 'mailbox_not_found',
          mailboxes: 1,
          concerns: 'mailbox',
          whoCanFix: 'mailboxOwner',
          detail: sentence,
          fix,
          link,
          examples: ['user3@contoso.example'],
        },
      ],
      findings: [
        expect.objectContaining({
          code: 'address_malformed',
          result: 'rejected',
          examples: [{ line: 5, address: 'nobody' }],
        }),
        expect.objectContaining({ code: 'duplicate_in_file', result: 'duplicate', rows: 1, examples: [{ line: 4 }] }),
      ],
    });
  });

  it('200: a paused import begins with what stopped it, and says when to ask again', async () => {
    const finding = {
      code: 'secret_expired',
      detail: 'The client secret has expired.',
      fix: 'Replace it.',
      seenAt: RECORDS_NOW,
    };
    const { get } = await store({ status: 'paused', finding });
    const answer = await get('summary');
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(await answer.json()).toMatchObject({
      status: 'paused',
      finding: { cause: 'secret_expired', fix: 'Replace it.' },
    });
  });

  it('410: the rows have been deleted; 404: hides another customer’s import', async () => {
    const { api, get } = await anApiWith({ status: 'completed', counts }, []);
    expect((await get('summary')).status).toBe(410);
    const { key } = await api.customer();
    expect((await api.request('GET', '/v1/imports/imp_1/summary', { key })).status).toBe(404);
  });
});
