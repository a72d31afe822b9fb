/** Finds what a misspelled text may have meant. */
export interface NearMisses {
  /** The first known text that is exactly one edit away: a character more, less or different, or two swapped. */
  find(text: string): string | undefined;
}

/** Compares only texts of nearly the same length, and most of those by their first characters. */
export function createNearMisses(known: Iterable<string>): NearMisses {
  const byLength = new Map<number, string[]>();
  for (const text of known) {
    const others = byLength.get(text.length);
    if (others) others.push(text);
    else byLength.set(text.length, [text]);
  }
  return {
    find(text) {
      for (const length of [text.length, text.length - 1, text.length + 1]) {
        for (const candidate of byLength.get(length) ?? []) if (isOneEdit(text, candidate)) return candidate;
      }
      return undefined;
    },
  };
}

function isOneEdit(a: string, b: string): boolean {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (a.length > b.length) return isSameFrom(a, at + 1, b, at);
  if (a.length < b.length) return isSameFrom(a, at, b, at + 1);
  if (at === a.length) return false;
  const isSwapped = a[at] === b[at + 1] && a[at + 1] === b[at];
  return isSameFrom(a, at + 1, b, at + 1) || (isSwapped && isSameFrom(a, at + 2, b, at + 2));
}

/** Whether what follows in both texts is the same. */
function isSameFrom(a: string, fromA: number, b: string, fromB: number): boolean {
  if (a.length - fromA !== b.length - fromB) return false;
  let i = 0;
  while (fromA + i < a.length && a[fromA + i] === b[fromB + i]) i++;
  return fromA + i === a.length;
}
