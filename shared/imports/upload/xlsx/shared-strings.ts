import { readXml } from './read-xml.ts';
import { unescapeText } from './unescape-text.ts';
import { unpacksTooLarge } from './workbook-errors.ts';

/** The texts of a workbook, which its cells name by number. */
export interface SharedStrings {
  get(index: number): string | undefined;
}

const GROWTH_MIN_BYTES = 65_536;

/**
 * Reads the texts of a workbook. Keeps their bytes and 4 more for each: an array of a million strings takes twice that.
 *
 * A text longer than `lengthMax` is cut. All together may have `maxBytes`.
 *
 * @throws DomainError `file_malformed`, `payload_too_large`
 */
export async function readSharedStrings(
  source: AsyncGenerator<Buffer>,
  { lengthMax, maxBytes }: { lengthMax: number; maxBytes: number },
): Promise<SharedStrings> {
  let bytes = Buffer.allocUnsafe(0);
  let ends = new Uint32Array(1_024);
  let length = 0;
  let count = 0;

  function add(text: string): void {
    const needed = length + Buffer.byteLength(text);
    if (needed > maxBytes) throw unpacksTooLarge(maxBytes);
    if (needed > bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(needed, 2 * bytes.length, GROWTH_MIN_BYTES)));
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    }
    length += bytes.write(text, length);
    if (count === ends.length) {
      const more = new Uint32Array(2 * count);
      more.set(ends);
      ends = more;
    }
    ends[count++] = length;
  }

  let text = '';
  let isText = false;
  /** How to pronounce the text: Japanese workbooks have it. */
  let isPhonetic = false;
  const handler = {
    open(name: string) {
      if (name === 'si') text = '';
      else if (name === 'rPh') isPhonetic = true;
      else if (name === 't') isText = !isPhonetic;
    },
    text(piece: string) {
      if (isText && text.length <= lengthMax) text += piece.slice(0, lengthMax + 1);
    },
    close(name: string) {
      if (name === 't') isText = false;
      else if (name === 'rPh') isPhonetic = false;
      else if (name === 'si') add(unescapeText(text));
    },
  };
  for await (const _ of readXml(source, handler));
  return {
    get(index) {
      const end = index < count ? ends[index] : undefined;
      return end === undefined ? undefined : bytes.toString('utf8', index === 0 ? 0 : ends[index - 1], end);
    },
  };
}
