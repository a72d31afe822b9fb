import { parseAddress } from '../../kernel/address.ts';
import { controlCharacter } from '../../kernel/control-characters.ts';
import type { ParsedRow } from './parsed-row.ts';
import { type RowFault, rowFaults } from './row-findings.ts';
import type { UploadLimits } from './upload-limits.ts';

/** One row as it was sent, not validated yet. An empty string counts as absent. */
export interface RawRow {
  address: string;
  displayName?: string | undefined;
  dailyLimit?: string | number | undefined;
  reference?: string | undefined;
}

const REFERENCE_MAX_LENGTH = 200;
/** Exchange Online sends to at most 10,000 recipients a day. */
export const DAILY_LIMIT_MAX = 10_000;
/** How much of each value of a rejected row is kept. */
const KEPT_MAX_LENGTH = 320;

/** Programs that calculate with floating point write 50 as `50.0`, and some countries as `50,0`. */
const wholeNumber = /^(\d{1,5})(?:[.,]0{1,2})?$/;

/**
 * Parses one row on its own. Trims text values and changes nothing else in them. If the row has no name, it gets the one
 * of an address such as `Jane Doe <jane@contoso.com>`.
 *
 * A row with several faults has the code of the first and the sentences of all, so that the customer can fix them
 * together.
 */
export function parseRow(line: number, raw: RawRow, limits: Pick<UploadLimits, 'nameMaxLength'>): ParsedRow {
  const faults: RowFault[] = [];
  const parsed = parseAddress(raw.address);
  if (!parsed.ok) faults.push({ code: parsed.code, message: parsed.message });

  const displayName = raw.displayName?.trim() || (parsed.ok ? nameInAddress(raw.address, limits) : undefined);
  if (displayName) {
    // A misplaced quote turns several rows into one name with line breaks. Accepting that name would lose those rows.
    if (controlCharacter.test(displayName)) faults.push(rowFaults.controlCharacter('name'));
    else if (displayName.length > limits.nameMaxLength) faults.push(rowFaults.nameTooLong(limits.nameMaxLength));
  }

  const dailyLimit = raw.dailyLimit === undefined ? '' : String(raw.dailyLimit).trim();
  const limit = toDailyLimit(dailyLimit);
  if (dailyLimit !== '' && limit === undefined) {
    faults.push(rowFaults.dailyLimitInvalid(DAILY_LIMIT_MAX));
  }

  const reference = raw.reference?.trim();
  if (reference) {
    if (controlCharacter.test(reference)) faults.push(rowFaults.controlCharacter('reference'));
    else if (reference.length > REFERENCE_MAX_LENGTH) faults.push(rowFaults.referenceTooLong(REFERENCE_MAX_LENGTH));
  }

  const [first] = faults;
  if (!parsed.ok || first) {
    const address = parsed.ok ? parsed.address : raw.address;
    const message = faults.map((fault) => fault.message).join(' ');
    return rejectRow(line, address, { code: first?.code ?? 'row_malformed', message }, raw);
  }
  const row: ParsedRow = { line, ok: true, address: parsed.address };
  if (displayName) row.displayName = displayName;
  if (limit !== undefined) row.dailyLimit = limit;
  if (reference) row.reference = reference;
  return row;
}

/**
 * A row that cannot be imported. Keeps what was sent, so that the customer can correct it and send it again.
 *
 * @param address is empty if it could not be read
 */
export function rejectRow(
  line: number,
  address: string,
  { code, message }: RowFault,
  raw: Omit<RawRow, 'address'> = {},
): ParsedRow {
  const [displayName, dailyLimit, reference] = [raw.displayName, raw.dailyLimit, raw.reference].map(asSent);
  return {
    line,
    ok: false,
    code,
    message,
    address: asSent(address) ?? '',
    ...(displayName && { displayName }),
    ...(dailyLimit && { dailyLimitAsSent: dailyLimit }),
    ...(reference && { reference }),
  };
}

/** The mark at the end of a cut value keeps it from being accepted by mistake when it is sent again. */
function asSent(value: string | number | undefined): string | undefined {
  const text = value === undefined ? undefined : String(value).trim();
  return text !== undefined && text.length > KEPT_MAX_LENGTH ? `${text.slice(0, KEPT_MAX_LENGTH - 1)}…` : text;
}

function toDailyLimit(text: string): number | undefined {
  const limit = Number(wholeNumber.exec(text)?.[1] ?? Number.NaN);
  return limit >= 1 && limit <= DAILY_LIMIT_MAX ? limit : undefined;
}

/** The name in `"Doe, Jane" <jane@contoso.com>`, if it can be used. */
function nameInAddress(address: string, { nameMaxLength }: Pick<UploadLimits, 'nameMaxLength'>): string | undefined {
  const open = address.indexOf('<');
  if (open <= 0) return undefined;
  const name = address.slice(0, open).trim();
  const unquoted = /^(["']).*\1$/.test(name) ? name.slice(1, -1).trim() : name;
  // Many programs write the address twice if they know no name.
  const isUsable = unquoted.length <= nameMaxLength && !controlCharacter.test(unquoted) && !unquoted.includes('@');
  return isUsable ? unquoted : undefined;
}
