/**
 * A spreadsheet calculates a cell that begins with one of these. The last four are their full-width forms.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
const formulaStarts: ReadonlySet<string> = new Set('=+-@＝＋－＠');
/** A spreadsheet may drop these at the beginning of a field, and then see a formula. */
const droppedStarts: ReadonlySet<string> = new Set('\t\r\n');
/** Where a spreadsheet may begin a new cell: not every one splits the lines of a file where its writer meant it. */
const separators: ReadonlySet<string> = new Set(',;\t\r\n');
/** What may come before a formula without changing that it is one. */
const skipped: ReadonlySet<string> = new Set(' "');

/** Most values need no closer look: they begin with a letter or digit and contain no separator. */
const suspicious = /^[^\p{L}\p{N}]|[,;\t\r\n]/u;

/**
 * Makes a value harmless in a spreadsheet: puts an apostrophe before everything in it that may be taken for a formula.
 *
 * What looks as if it had been guarded gets one more apostrophe, so `removeGuard` gives back every value as it was.
 */
export function guardFormulas(value: string): string {
  return atFormulas(value, (apostrophes) => `'${apostrophes}`);
}

/** Removes what `guardFormulas` adds. Other programs guard the values of their CSV files in the same way. */
export function removeGuard(value: string): string {
  return atFormulas(value, (apostrophes) => apostrophes.slice(1));
}

/** Replaces the apostrophes before each possible formula, of which there may be none. */
function atFormulas(value: string, replace: (apostrophes: string) => string): string {
  if (!suspicious.test(value)) return value;
  let result = '';
  let copied = 0;
  let isStart = true;
  for (let at = 0; at < value.length; at++) {
    if (!isStart) {
      isStart = separators.has(value.charAt(at));
      continue;
    }
    let begin = at;
    while (skipped.has(value.charAt(begin))) begin++;
    let end = begin;
    while (value.charAt(end) === "'") end++;
    const next = value.charAt(end);
    if (formulaStarts.has(next) || (begin === 0 && droppedStarts.has(next))) {
      result += value.slice(copied, begin) + replace(value.slice(begin, end));
      copied = end;
    }
    // Looks at the next character once more: it may be a separator.
    at = end - 1;
    isStart = false;
  }
  return result + value.slice(copied);
}
