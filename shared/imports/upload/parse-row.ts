import { parseAddress } from '../../kernel/address.ts';
import type { ParsedRow, RowFindingCode, UploadLimits } from './parsed-row.ts';

/** One row as it was sent, before anybody judged it. An empty text counts as absent. */
export interface RawRow {
  address: string;
  displayName?: string | undefined;
  dailyLimit?: string | number | undefined;
  reference?: string | undefined;
}

const REFERENCE_MAX_LENGTH = 200;
/** Exchange Online sends to at most 10,000 recipients a day. */
const DAILY_LIMIT_MAX = 10_000;
const SHOWN_MAX_LENGTH = 320;

const wholeNumber = /^\d{1,5}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
const controlCharacter = /[\u0000-\u001f\u007f]/;

/**
 * Judges one row on its own. Texts are trimmed and otherwise kept as they are.
 *
 * A row with several faults carries the code of the first and the sentences of all, so that it is mended in one go.
 */
export function parseRow(line: number, raw: RawRow, limits: Pick<UploadLimits, 'nameMaxLength'>): ParsedRow {
  const faults: { code: RowFindingCode; message: string }[] = [];
  const parsed = parseAddress(raw.address);
  if (!parsed.ok) faults.push(parsed);

  const displayName = raw.displayName?.trim();
  if (displayName) {
    // A quote that is not closed where it should be makes a name of several lines; other rows are lost in it.
    if (controlCharacter.test(displayName)) faults.push(brokenText('name'));
    else if (displayName.length > limits.nameMaxLength) {
      const message = `The name is too long: at most ${limits.nameMaxLength} characters.`;
      faults.push({ code: 'name_too_long', message });
    }
  }

  const dailyLimit = typeof raw.dailyLimit === 'string' ? raw.dailyLimit.trim() : raw.dailyLimit;
  if (dailyLimit !== undefined && dailyLimit !== '' && !isDailyLimit(dailyLimit)) {
    const message = `The daily limit must be a whole number from 1 to ${DAILY_LIMIT_MAX}, or empty.`;
    faults.push({ code: 'daily_limit_invalid', message });
  }

  const reference = raw.reference?.trim();
  if (reference) {
    if (controlCharacter.test(reference)) faults.push(brokenText('reference'));
    else if (reference.length > REFERENCE_MAX_LENGTH) {
      const message = `The reference is too long: at most ${REFERENCE_MAX_LENGTH} characters.`;
      faults.push({ code: 'reference_too_long', message });
    }
  }

  const first = faults[0];
  if (!parsed.ok || first) {
    return {
      line,
      ok: false,
      address: parsed.ok ? parsed.address : raw.address.trim().slice(0, SHOWN_MAX_LENGTH),
      code: first?.code ?? 'row_malformed',
      message: faults.map((fault) => fault.message).join(' '),
      ...(reference && { reference: reference.slice(0, REFERENCE_MAX_LENGTH) }),
    };
  }
  const row: ParsedRow = { line, ok: true, address: parsed.address };
  if (displayName) row.displayName = displayName;
  if (dailyLimit !== undefined && dailyLimit !== '') row.dailyLimit = Number(dailyLimit);
  if (reference) row.reference = reference;
  return row;
}

function isDailyLimit(value: string | number): boolean {
  if (typeof value === 'string' && !wholeNumber.test(value)) return false;
  const number = Number(value);
  return Number.isInteger(number) && number >= 1 && number <= DAILY_LIMIT_MAX;
}

function brokenText(what: string): { code: RowFindingCode; message: string } {
  const message = `The ${what} has a line break or another control character in it. Is a quote in the wrong place?`;
  return { code: 'row_malformed', message };
}
