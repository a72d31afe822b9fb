/** More levels than any body needs. */
export const DEPTH_MAX = 100;

const QUOTE = '"';
const BACKSLASH = 0x5c;

/** Whether a text, if it is JSON, has more than `DEPTH_MAX` levels. Counts brackets outside strings. */
export function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === QUOTE) {
      at = endOfString(text, at);
      if (at === -1) return false;
    } else if (character === '{' || character === '[') {
      if (++depth > DEPTH_MAX) return true;
    } else if (character === '}' || character === ']') depth--;
  }
  return false;
}

/**
 * Finds what `JSON.parse` accepts but other programs read differently: a field that is given twice, and half of a
 * surrogate pair, which no UTF-8 text can hold.
 *
 * @param text valid JSON
 */
export function findJsonFault(text: string): string | undefined {
  /** The fields of each open object. `undefined` for an open array. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === QUOTE) {
      const end = endOfString(text, at);
      const token = text.slice(at, end + 1);
      at = end;
      const isEscaped = token.includes('\\');
      const value = isEscaped ? (JSON.parse(token) as string) : token.slice(1, -1);
      if (isEscaped && !value.isWellFormed())
        return 'A text in the body contains half of a surrogate pair. Send whole characters.';
      const fields = open.at(-1);
      if (!fields || !isFollowedByColon(text, end + 1)) continue;
      if (fields.has(value)) return `The body contains the field "${shorten(value)}" twice. Send each field once.`;
      fields.add(value);
    }
  }
  return undefined;
}

function shorten(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100).toWellFormed()}…` : name;
}

/** Returns the position of the closing quotation mark, or -1. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf(QUOTE, start + 1); end !== -1; end = text.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

/** A string before a colon is the name of a field. */
function isFollowedByColon(text: string, at: number): boolean {
  let next = at;
  while (text[next] === ' ' || text[next] === '\n' || text[next] === '\r' || text[next] === '\t') next++;
  return text[next] === ':';
}
