import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readRetryAfter } from '../../shared/adapters/retry-after.ts';
import { parseKeyText } from '../../shared/api-keys/key-text.ts';
import { clientSecretField, cloudField, tenantField } from '../../shared/connections/lifecycle/connection-fields.ts';
import { bearerOf } from '../../shared/edge/admission/authenticate.ts';
import { isCached, requireMatch } from '../../shared/edge/answers/etag.ts';
import { readIdempotencyKey } from '../../shared/edge/answers/idempotency.ts';
import { mediaType, parseJson } from '../../shared/edge/bodies/body.ts';
import { createBodyHash } from '../../shared/edge/bodies/body-hash.ts';
import { addressField, futureInstantField, nameField } from '../../shared/edge/requests/fields.ts';
import { createCursors, pageQuery } from '../../shared/edge/requests/page.ts';
import { parseHeader } from '../../shared/imports/upload/parse-header.ts';
import { parseMailboxList } from '../../shared/imports/upload/parse-mailbox-list.ts';
import { parseRow } from '../../shared/imports/upload/parse-row.ts';
import { readCsv } from '../../shared/imports/upload/read-csv.ts';
import { readMultipart } from '../../shared/imports/upload/read-multipart.ts';
import { createWorkbookReader } from '../../shared/imports/upload/xlsx/read-workbook.ts';
import { parseAddress } from '../../shared/kernel/address.ts';
import { createFieldFaults } from '../../shared/kernel/field-faults.ts';
import { isId } from '../../shared/kernel/ids.ts';
import { chunksOf, uploadLimits } from '../support/upload-bytes.ts';
import { inlineRow, workbookOf } from '../support/workbook.ts';

/** Quadratic work on a text of this length takes most of a second. */
const LONG = 16_384;

const unit = [
  ...[' ', '\t', '\n', '\u200b', '\u00a0', 'a', 'Z', '0', '9', '.', '@', '-', '_', '"', "'", ',', ';', '<', '>', '\\'],
  ...[
    'a ',
    ' a',
    'a.',
    'a@',
    '@a.',
    '.@',
    'a@b.c',
    '<a',
    '>a',
    '<>',
    '""',
    '"a',
    'a"',
    ',"',
    ';;',
    '[',
    '{',
    '[]',
    '{"a":',
  ],
  ...[
    'é',
    'a\u0301',
    '😀',
    '\ufdfa',
    'xn--',
    '2027-',
    'T00:',
    '+00:00',
    'P1D',
    '8f14e45f-',
    'cust_0',
    'W/"',
    '; boundary=',
  ],
];
/** The same at the end and in the middle, which is where backtracking shows. */
const hostile = unit.flatMap((text) => [
  (length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length),
  (length: number) => `x${text.repeat(Math.ceil(length / text.length)).slice(0, length - 2)}x`,
]);

const clock = { now: () => new Date('2026-06-01T00:00:00Z') };
const field = (schema: z.ZodType) => (text: string) => createFieldFaults().read(schema, text);
const cursors = createCursors({ sign: () => 'x', isSigned: () => true }, 'list');

/** What reads a text from outside, each with the longest text that may reach it. */
const rules: [name: string, lengthMax: number, read: (text: string) => unknown][] = [
  ['an address', 1_280, parseAddress],
  ['a long address', LONG, parseAddress],
  ['the field of an address', LONG, field(addressField)],
  ['a name', LONG, field(nameField(200))],
  ['a tenant', LONG, field(tenantField)],
  ['a domain', 253, field(tenantField)],
  ['a client secret', LONG, field(clientSecretField)],
  ['a client id', LONG, field(z.guid())],
  ['a cloud', LONG, field(cloudField(() => true))],
  ['an instant', LONG, field(futureInstantField(clock))],
  ['a limit', LONG, field(pageQuery.limit)],
  ['the field of a cursor', LONG, field(pageQuery.cursor)],
  ['a cursor', LONG, cursors.open],
  ['an unknown field', LONG, (text) => createFieldFaults().read(z.strictObject({}), { [text]: 1 })],
  ['an idempotency key', LONG, (text) => readIdempotencyKey(text, createFieldFaults())],
  ['an id', LONG, (text) => isId('conn', text)],
  ['an API key', LONG, parseKeyText],
  ['Authorization', LONG, (text) => bearerOf({ get: () => `bearer ${text}` })],
  ['Content-Type', LONG, (text) => createBodyHash('key', `multipart/${text}`)],
  ['a media type', LONG, mediaType],
  ['If-None-Match', LONG, (text) => isCached(text, '"x"')],
  ['If-Match', LONG, (text) => requireMatch(text, {})],
  ['Retry-After', LONG, (text) => readRetryAfter(text, clock.now())],
  ['JSON', LONG, (text) => parseJson(Buffer.from(text))],
  ['a text in JSON', LONG, (text) => parseJson(Buffer.from(JSON.stringify({ [text]: text })))],
  ['the header of a CSV', LONG, (text) => parseHeader([text, 'email'])],
  ['many headers of a CSV', LONG, (text) => parseHeader([...text.split(/(?<=[,; ])/), 'email'])],
  ['an address in a row', LONG, (text) => parseRow(1, { address: text }, uploadLimits)],
  ['a name in a row', LONG, (text) => parseRow(1, { address: '', displayName: text, reference: text }, uploadLimits)],
  ['a daily limit in a row', LONG, (text) => parseRow(1, { address: '', dailyLimit: text }, uploadLimits)],
  ['a CSV whose header is hostile', LONG, (text) => readAll(`${text}\nemail\na@b.example\n`)],
  ['a CSV whose row is hostile', LONG, (text) => readAll(`email,name\n${text}\na@b.example,x\n`)],
  ['a CSV whose field is hostile', LONG, (text) => readAll(`email,name\n"${text.replaceAll('"', '""')}",${text}\n`)],
  ['a CSV in Windows-1252', LONG, (text) => readAll(`email,name\na@b.example,\xfc${text}\n`, 'latin1')],
  ['the lines above a header', LONG, (text) => readAll(`#TYPE ${text}\n${text}\nemail\na@b.example\n`)],
  ['a list of addresses', LONG, (text) => readAll(`a@b.example\n${text}\n`)],
  ['a cell of a workbook', LONG, (text) => readWorkbook(inlineRow(1, ['email']) + inlineRow(2, [text]))],
  ['the XML of a workbook', LONG, (text) => readWorkbook(text)],
  ['a list of mailboxes', LONG, (text) => parseMailboxList({ mailboxes: [{ address: text, [text]: text }] })],
  ['the boundary of a form', 8_192, (text) => readMultipart(`multipart/form-data; boundary=${text}`, one('x'))],
  ['a form', LONG, (text) => readMultipart('multipart/form-data; boundary=b', one(`--b\r\n${text}\r\n--b--\r\n`))],
];

async function* one(text: string) {
  yield Buffer.from(text);
}

async function readAll(csv: string, encoding: BufferEncoding = 'utf8'): Promise<void> {
  const { rows } = await readCsv(chunksOf(Buffer.from(csv, encoding)), uploadLimits);
  for await (const _ of rows);
}

const workbooks = createWorkbookReader({ ...uploadLimits, workbookMaxBytes: 1_000_000, unpackedMaxBytes: 1_000_000 });

async function readWorkbook(sheetData: string): Promise<void> {
  for await (const _ of workbooks(chunksOf(workbookOf({ sheetData }))).csv);
}

/** A text 16 times as long, read once, costs as much as the short one read 16 times, or 16 times that if it is quadratic. */
const GROWTH = 16;
const RATIO_MAX = 5;
/** Reading less than this is too little to measure, and harmless. */
const DOUBTFUL_MS = 10;
/** The clock of a thread ticks every few milliseconds. */
const MEASURED_MS = 40;

/** Of this thread alone: a busy machine makes work wait, but does not make it more. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** What the work costs, `times` over. Stops where it is known to cost more than `enoughMs`. */
async function msFor(times: number, work: () => unknown, enoughMs = Number.POSITIVE_INFINITY): Promise<number> {
  const startedAt = cpuMs();
  for (let i = 0; i < times && cpuMs() - startedAt <= enoughMs; i++) await work();
  return cpuMs() - startedAt;
}

/**
 * How much more the long text costs than its length explains. Near 1 if the work is linear. A ratio below `RATIO_MAX` is
 * an upper bound: the short text is read only until it cannot become larger.
 */
async function excessOf(short: () => unknown, long: () => unknown): Promise<number> {
  let times = 1;
  let longMs = await msFor(times, long);
  while (longMs < MEASURED_MS) {
    times *= 2;
    longMs = await msFor(times, long);
  }
  return longMs / Math.max(await msFor(times * GROWTH, short, longMs / RATIO_MAX), 1);
}

/** A refusal is an answer, too. */
async function settle(read: () => unknown): Promise<void> {
  try {
    await read();
  } catch {}
}

describe('sixteen times the length does not cost much more than sixteen times the work', () => {
  it.each(rules)('%s', { timeout: 300_000 }, async (_, lengthMax, read) => {
    // A short text is read several times, so that its work can be told from the noise.
    const times = Math.ceil(LONG / lengthMax);
    for (const [index, make] of hostile.entries()) {
      const cost = (length: number) => {
        const text = make(length);
        return async () => {
          for (let i = 0; i < times; i++) await settle(() => read(text));
        };
      };
      const [short, long] = [cost(lengthMax / GROWTH), cost(lengthMax)];
      if ((await msFor(1, long)) < DOUBTFUL_MS) continue;
      let ratio = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 3 && ratio >= RATIO_MAX; i++) ratio = await excessOf(short, long);
      expect(ratio, JSON.stringify(unit[index >> 1])).toBeLessThan(RATIO_MAX);
    }
  });
});

it('the measure sees a rule that is quadratic', async () => {
  const edges = /^\s+|\s+$/g;
  const cost = (length: number) => {
    const text = `x${' '.repeat(length)}x`;
    return () => text.replace(edges, '');
  };
  expect(await excessOf(cost(8_192 / GROWTH), cost(8_192))).toBeGreaterThan(RATIO_MAX);
});
