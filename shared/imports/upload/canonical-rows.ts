import { DomainError } from '../../kernel/errors.ts';
import { parseRow, type RawRow } from './parse-row.ts';
import type { ParsedRow, UploadLimits } from './parsed-row.ts';

/** Small enough to be one write, large enough that writes are few. */
const CHUNK_CHARACTERS = 65_536;

/**
 * Writes rows that did not come as a file the way uploads are stored: one JSON object a line, not judged, so that
 * planning judges them again as it does with a file.
 */
export async function* writeCanonical(rows: Iterable<RawRow> | AsyncIterable<RawRow>): AsyncGenerator<Uint8Array> {
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
 * Reads what `writeCanonical` wrote and judges it. `line` is the place of a row, from 1.
 *
 * @throws DomainError `payload_too_large`, `file_empty`
 */
export async function* readCanonical(
  source: AsyncIterable<Uint8Array>,
  limits: UploadLimits,
): AsyncGenerator<ParsedRow> {
  let line = 0;
  for await (const list of lists(source)) {
    for (const row of list) {
      if (++line > limits.maxRows) throw tooManyRows(limits.maxRows);
      yield parseRow(line, row, limits);
    }
  }
  if (line === 0) throw new DomainError('file_empty', 'There are no mailboxes in this import.');
}

export function tooManyRows(maxRows: number): DomainError {
  return new DomainError('payload_too_large', `There are more than ${maxRows} rows. Split them into several imports.`, {
    members: { maxRows },
  });
}

async function* lists(source: AsyncIterable<Uint8Array>): AsyncGenerator<RawRow[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield lines.map((text) => JSON.parse(text) as RawRow);
  }
  if (rest + decoder.decode() !== '') throw new Error('a stored list of rows is cut off');
}
