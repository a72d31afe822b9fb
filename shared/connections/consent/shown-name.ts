const SHOWN_MAX_LENGTH = 60;

/** Control characters, line separators, bidirectional controls, unpaired surrogates, and invisible characters. */
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
const QUOTATION_MARKS = /["“”„‟«»‹›「」『』＂]/g;

/**
 * A name for a page that people outside the customer's organization read, where it must not pass for our own words: one
 * line, cut to 60 characters, and without the quotation marks that the page puts around it.
 */
export function shownName(name: string): string {
  const line = name.replace(UNSHOWN, ' ').replace(QUOTATION_MARKS, "'").replace(/\s+/g, ' ').trim();
  const characters = [...line];
  if (characters.length <= SHOWN_MAX_LENGTH) return line;
  return `${characters
    .slice(0, SHOWN_MAX_LENGTH - 1)
    .join('')
    .trimEnd()}…`;
}
