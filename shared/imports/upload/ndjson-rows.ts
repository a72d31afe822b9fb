import { DomainError } from '../../kernel/errors.ts';
import { parseRow, type RawRow } from './parse-row.ts';
import type { ParsedRow } from './parsed-row.ts';
import { tooManyRows, type UploadLimits } from './upload-limits.ts';

/** Small enough to be one write, large enough to keep the number of writes low. */
const CHUNK_CHARACTERS = 65_536;

/**
 * Writes rows that did not come as a file in the form in which they are stored: NDJSON, one JSON object per line.
 * The values are not validated here. Planning parses the stored rows later, as it does with a CSV.
 */
export async function* writeNdjsonRows(rows: Iterable<RawRow> | AsyncIterable<RawRow>): AsyncGenerator<Uint8Array> {
  let text = '';
  for await (const { address, displayName, dailyLimit, reference } of rows) {
    text += `${JSON.stringify({ address, displayName, dailyLimit, reference })}\n`;
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}

/**
 * Reads and parses the output of `writeNdjsonRows`. The `line` of a row is its position, from 1.
 *
 * @param afterLine rows up to this line are skipped, and not parsed
 * @throws DomainError `payload_too_large`, `file_empty`
 */
export async function* readNdjsonRows(
  source: AsyncIterable<Uint8Array>,
  limits: UploadLimits,
  afterLine = 0,
): AsyncGenerator<ParsedRow> {
  let line = 0;
  for await (const texts of linesOf(source)) {
    for (const text of texts) {
      if (++line <= afterLine) continue;
      if (line > limits.maxRows) throw tooManyRows(limits.maxRows);
      yield parseRow(line, JSON.parse(text) as RawRow, limits);
    }
  }
  if (line === 0) throw new DomainError('file_empty', 'The upload contains no mailboxes. Add at least one.');
}

/** Yields the lines that each chunk of the source completes. */
async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield lines;
  }
  if (rest + decoder.decode() !== '') throw new Error('the stored rows are cut off');
}
