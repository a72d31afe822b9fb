/** How many lines end in a piece of text. Files with CR alone come from old versions of Excel for the Mac. */
export function countLines(text: string | Buffer): number {
  return countOf('\n', text) || countOf('\r', text);
}

function countOf(character: string, text: string | Buffer): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count++;
  return count;
}
