import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { causes } from '../../../../shared/causes/causes.ts';
import { explain } from '../../../../shared/causes/explain.ts';
import type { Row } from '../../../../shared/imports/ledger/row.ts';
import { jsonLines, reportCsv } from '../../../../shared/imports/reports/report-files.ts';
import { reportName } from '../../../../shared/imports/reports/report-name.ts';
import { anImport, aRow, RECORDS_NOW } from '../../../support/records.ts';

const COLUMNS =
  'line,email_address,state,graph_read_write,graph_send,imap,smtp,cause,problem,fix,link,microsoft_code,microsoft_request_id,checked_at,next_check_at,display_name,daily_limit,reference,mailbox';

/** The rows as a program reads them that knows nothing of Muster. */
function read(rows: Row[], delimiter: ',' | ';' = ','): Record<string, string>[] {
  const format = reportCsv(delimiter);
  const file = Buffer.concat([format.header() ?? Buffer.alloc(0), format.rows(rows)]);
  return parse(file, { bom: true, columns: true, delimiter });
}

const failed = aRow({
  state: 'failed',
  cause: 'mailbox_out_of_scope',
  verdicts: { 'graph.readWrite': 'passed', 'graph.send': 'failed' },
  microsoftCode: 'ErrorAccessDenied',
  requestId: '3f6c1a52-8f0e-4b7d-9f43-2f1a0c5d7e61',
  checkedAt: RECORDS_NOW,
  displayName: 'Doe, "Jane"; the elder',
  dailyLimit: 50,
  reference: '0042',
});

describe('report.csv', () => {
  it('begins with a byte order mark and its columns, and has CRLF', () => {
    expect(reportCsv(',').header()?.toString()).toBe(`\uFEFF${COLUMNS}\r\n`);
    expect(reportCsv(';').header()?.toString()).toBe(`\uFEFF${COLUMNS.replaceAll(',', ';')}\r\n`);
  });

  it.each([',', ';'] as const)('has everything about a row that failed, with the delimiter %s', (delimiter) => {
    const { sentence, fix, link } = explain('mailbox_out_of_scope', { probes: ['graph.send'] });
    expect(read([failed], delimiter)).toEqual([
      {
        line: '2',
        email_address: 'user2@contoso.example',
        state: 'failed',
        graph_read_write: 'passed',
        graph_send: 'failed',
        imap: '',
        smtp: '',
        cause: 'mailbox_out_of_scope',
        problem: sentence,
        fix,
        link,
        microsoft_code: 'ErrorAccessDenied',
        microsoft_request_id: '3f6c1a52-8f0e-4b7d-9f43-2f1a0c5d7e61',
        checked_at: '2026-06-01T00:00:00.000Z',
        next_check_at: '',
        display_name: 'Doe, "Jane"; the elder',
        daily_limit: '50',
        reference: '0042',
        mailbox: 'user2@contoso.example',
      },
    ]);
  });

  it('says what was found about this mailbox alone, where there is more than the sentence of the cause', () => {
    const detail = 'This address is an alias of jane@contoso.example.';
    expect(read([{ ...failed, cause: 'address_is_alias', detail }])).toMatchObject([{ problem: detail }]);
  });

  it('explains the rows of every other state, and gives no cause that is over', () => {
    const rows = [
      aRow({ state: 'passed', verdicts: { 'graph.send': 'passed' } }),
      aRow({ state: 'pending', cause: 'throttled' }),
      aRow({ state: 'waiting', cause: 'throttled', nextCheckAt: RECORDS_NOW }),
      aRow({ state: 'cancelled', cause: 'throttled' }),
      aRow({ state: 'duplicate', code: 'duplicate_in_file', message: 'This address is already on line 2.' }),
      aRow({
        state: 'rejected',
        address: 'nobody',
        code: 'address_malformed',
        message: 'Not valid.',
        dailyLimitAsSent: '5x',
      }),
    ];
    expect(
      read(rows).map(({ state, cause, problem, mailbox, daily_limit, next_check_at }) => [
        state,
        cause,
        problem,
        mailbox,
        daily_limit,
        next_check_at,
      ]),
    ).toEqual([
      ['passed', '', '', 'user2@contoso.example', '', ''],
      ['pending', '', '', 'user2@contoso.example', '', ''],
      ['waiting', 'throttled', causes.throttled.sentence, 'user2@contoso.example', '', '2026-06-01T00:00:00.000Z'],
      ['cancelled', '', expect.stringContaining('cancelled'), '', '', ''],
      ['duplicate', 'duplicate_in_file', 'This address is already on line 2.', '', '', ''],
      ['rejected', 'address_malformed', 'Not valid.', '', '5x', ''],
    ]);
  });

  it('writes formulas as text', () => {
    const row = aRow({
      state: 'passed',
      address: '=a@contoso.example',
      displayName: "=cmd|' /C calc'!A0",
      reference: '-1+2',
    });
    expect(reportCsv(',').rows([row]).toString()).toBe(
      `2,'=a@contoso.example,passed,,,,,,,,,,,,,'=cmd|' /C calc'!A0,,'-1+2,'=a@contoso.example\r\n`,
    );
  });

  it('quotes what another delimiter or a line end would split', () => {
    const row = aRow({ displayName: 'a;b', reference: 'c\td' });
    expect(reportCsv(',').rows([row]).toString()).toContain('"a;b",,"c\td"');
  });
});

it('report.json has one line for each row', () => {
  const lines = Buffer.from(
    jsonLines(({ line, dailyLimit }) => ({ line, dailyLimit })).rows([failed, aRow({ line: 3, displayName: 'a\nb' })]),
  );
  expect(lines.toString()).toBe('{"line":2,"dailyLimit":50}\n{"line":3}\n');
});

it.each([
  ['Contoso', 'completed', 'report', 'csv', 'contoso-2026-06-01-0000-report.csv'],
  ['Bücher & Söhne "GmbH"\r\n', 'cancelled', 'failed', 'csv', 'bucher-sohne-gmbh-2026-06-01-0000-failed.csv'],
  ['東京', 'running', 'report', 'jsonl', '2026-06-01-0000-report-unfinished.jsonl'],
  [undefined, 'paused', 'report', 'csv', '2026-06-01-0000-report-unfinished.csv'],
  ['x'.repeat(200), 'completed', 'report', 'csv', `${'x'.repeat(40)}-2026-06-01-0000-report.csv`],
] as const)('the report of %j, which is %s, is saved as a plain name', (name, status, kind, extension, expected) => {
  expect(reportName(anImport({ status }), name, kind, extension)).toBe(expected);
});
