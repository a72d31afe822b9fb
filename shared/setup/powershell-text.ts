/** What a script may contain: printable ASCII. */
const PRINTABLE = /^[ -~]*$/;

/** Text that could hide or reorder what a person reads: controls, line separators, bidirectional controls. */
const UNREADABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

const REPLACEMENT = '\uFFFD';

/**
 * The one place that writes a value between quotation marks: a single-quoted literal, in which PowerShell expands
 * nothing. Its only special character, the apostrophe, is doubled.
 *
 * Only printable ASCII. PowerShell also takes typographic quotation marks for quotation marks. Windows PowerShell 5.1 even
 * finds them in files without a byte order mark, where it reads the bytes of UTF-8 as Windows-1252: `Ñ` ends in the byte
 * of `‘` there. In ASCII, every version reads the same.
 *
 * @throws RangeError for any other character. Text of customers goes through `text`.
 */
export function literal(value: string): string {
  if (!PRINTABLE.test(value))
    throw new RangeError('A literal of a script is printable ASCII. Use text() for other text.');
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * An expression whose value is `value`, for text that people chose: `[regex]::Unescape('M\u00FCller')`. It has the same
 * form for every text, and works in PowerShell's constrained language mode.
 *
 * What could hide or reorder what an admin reads becomes U+FFFD. Names have none of it, because the API refuses it.
 */
export function text(value: string): string {
  return `[regex]::Unescape(${literal([...value].map(escaped).join(''))})`;
}

/** An array of literals, one in each line. */
export function list(values: readonly string[]): string {
  return values.length === 0 ? '@()' : `@(\n${values.map((value) => `    ${literal(value)}`).join(',\n')}\n)`;
}

function escaped(character: string): string {
  if (character === '\\') return '\\\\';
  if (PRINTABLE.test(character)) return character;
  return [...(UNREADABLE.test(character) ? REPLACEMENT : character)].map(codeUnits).join('');
}

/** `\uD83D\uDE00`: PowerShell's text is UTF-16 as well. */
function codeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).toUpperCase().padStart(4, '0')}`)
    .join('');
}
