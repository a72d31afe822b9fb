import { DomainError } from '../../kernel/errors.ts';
import { countLines } from './count-lines.ts';
import { SAVE_AS } from './file-signatures.ts';

/** Converts bytes in Windows-1252 to UTF-8, one piece after the other. */
export interface Windows1252Decoder {
  /** @throws DomainError `file_not_text` if the text is more likely in another encoding */
  decode(bytes: Buffer): Buffer;
}

/**
 * What names in Western languages do not contain. Text in another encoding that is read as Windows-1252 soon does:
 * - characters that Windows-1252 does not define,
 * - five accented letters in a row: Cyrillic, Greek, Hebrew, Arabic, Chinese or Japanese,
 * - superscripts and signs of currency at the end of a word or within it: Central European (Windows-1250),
 * - a capital from the extension after a small letter, or a dagger or an accent between letters: Mac OS Roman.
 */
const implausible =
  /[\u0080-\u009f]|[\u00c0-\u00ff]{5}|[A-Za-z\u00c0-\u00ff][\u00b3\u00b9\u00a3\u00a5\u00bf\u00af\u00bc\u00be]|[a-z][\u0160\u0152\u017d\u0178]|\u0178[a-z]|[A-Za-z][\u2020\u2021\u02c6\u2030][A-Za-z]/;
/** As many characters as the pattern can need of the piece before. */
export const OVERLAP = 4;
const SEEN_CHARACTERS = 12;

/**
 * Excel saves "CSV" in the code page of Windows, which is Windows-1252 in Western Europe and America. No byte proves
 * that encoding. So this refuses what would give mailboxes wrong names that nobody notices.
 *
 * @param before the last characters of the text that was already read, at least `OVERLAP` if there are that many
 * @param line the line on which the next piece begins
 */
export function createWindows1252Decoder(before: string, line: number): Windows1252Decoder {
  const decoder = new TextDecoder('windows-1252');
  let overlap = before;
  let overlapLine = line - countLines(before);
  return {
    decode(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      const checked = overlap + text;
      const found = implausible.exec(checked);
      if (found) throw otherEncoding(checked, found.index, overlapLine);
      overlap = checked.slice(-OVERLAP);
      overlapLine += countLines(checked) - countLines(overlap);
      return Buffer.from(text);
    },
  };
}

function otherEncoding(text: string, index: number, firstLine: number): DomainError {
  const line = firstLine + countLines(text.slice(0, index));
  const before =
    text
      .slice(Math.max(0, index - SEEN_CHARACTERS), index)
      .split(/[\r\n]/)
      .at(-1) ?? '';
  const after = text.slice(index, index + SEEN_CHARACTERS).split(/[\r\n]/)[0] ?? '';
  const seen = `${before}${after}`.replace(/\p{Cc}/gu, '\ufffd').trim();
  return new DomainError(
    'file_not_text',
    `Line ${line} of the file is neither in UTF-8 nor in Windows-1252. Read as Windows-1252, it contains "${seen}". ${SAVE_AS}`,
    { members: { line } },
  );
}
