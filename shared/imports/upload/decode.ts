import { isUtf8 } from 'node:buffer';
import { DomainError } from '../../kernel/errors.ts';
import type { Encoding } from './csv-format.ts';

interface DecodedText {
  encoding: Encoding;
  /** The text in UTF-8 without a byte order mark, in pieces of whole characters. */
  text: AsyncGenerator<Buffer>;
}

/** Enough to detect the encoding: every header contains some ASCII. */
const DETECTION_BYTES = 512;
/** An upload that arrives in one piece is still processed in small pieces. */
const PIECE_BYTES = 65_536;

const SAVE_AS = 'In Excel, choose "Save as" and then "CSV UTF-8 (comma delimited)".';

const signatures: readonly { bytes: Buffer; kind: string }[] = [
  { bytes: Buffer.from('PK\x03\x04', 'latin1'), kind: 'an Excel workbook (.xlsx) or a ZIP archive' },
  { bytes: Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), kind: 'an Excel workbook (.xls)' },
  { bytes: Buffer.from([0x1f, 0x8b]), kind: 'a gzip archive' },
  { bytes: Buffer.from('%PDF', 'latin1'), kind: 'a PDF' },
  { bytes: Buffer.from([0xff, 0xfe, 0x00, 0x00]), kind: 'a text file in UTF-32' },
  { bytes: Buffer.from([0x00, 0x00, 0xfe, 0xff]), kind: 'a text file in UTF-32' },
];

/**
 * Converts a text file to UTF-8. Accepts UTF-8 and UTF-16, with or without a byte order mark.
 *
 * Never guesses another encoding: a wrong guess would give mailboxes wrong names, and nobody would notice.
 *
 * @throws DomainError `file_not_text` for anything else, here if the first bytes show it, otherwise from the iteration
 */
export async function decode(source: AsyncIterable<Uint8Array>): Promise<DecodedText> {
  const pieces = splitIntoPieces(source);
  try {
    const firstPieces: Buffer[] = [];
    let size = 0;
    while (size < DETECTION_BYTES) {
      const next = await pieces.next();
      if (next.done) break;
      firstPieces.push(next.value);
      size += next.value.length;
    }
    const start = Buffer.concat(firstPieces);
    const signature = signatures.find(({ bytes }) => start.subarray(0, bytes.length).equals(bytes));
    if (signature) throw notText(`The file is ${signature.kind}, not a CSV. ${SAVE_AS}`);
    const { encoding, markBytes } = detectEncoding(start);
    const content = prepend(start.subarray(markBytes), pieces);
    return { encoding, text: encoding === 'utf-8' ? validateUtf8(content) : convertUtf16(content, encoding) };
  } catch (error) {
    await pieces.return(undefined);
    throw error;
  }
}

/** `markBytes` is the length of the byte order mark. */
function detectEncoding(start: Buffer): { encoding: Encoding; markBytes: number } {
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return { encoding: 'utf-8', markBytes: 3 };
  if (start[0] === 0xff && start[1] === 0xfe) return { encoding: 'utf-16le', markBytes: 2 };
  if (start[0] === 0xfe && start[1] === 0xff) return { encoding: 'utf-16be', markBytes: 2 };
  // Without a mark, count the zero bytes. In ASCII text written as UTF-16, every second byte is zero, always on the
  // same side. Other scripts have few zeros, and some of them on the other side (such as the low byte of U+1F600).
  const bytes = start.subarray(0, DETECTION_BYTES);
  const pairs = Math.floor(bytes.length / 2);
  let evenZeros = 0;
  let oddZeros = 0;
  for (let i = 0; i < pairs * 2; i += 2) {
    if (bytes[i] === 0) evenZeros++;
    if (bytes[i + 1] === 0) oddZeros++;
  }
  if (oddZeros > 4 * evenZeros && oddZeros * 4 > pairs) return { encoding: 'utf-16le', markBytes: 0 };
  if (evenZeros > 4 * oddZeros && evenZeros * 4 > pairs) return { encoding: 'utf-16be', markBytes: 0 };
  return { encoding: 'utf-8', markBytes: 0 };
}

async function* splitIntoPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

async function* prepend(first: Buffer, rest: AsyncGenerator<Buffer, void, undefined>): AsyncGenerator<Buffer> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** Validates the bytes and passes them through. This is several times faster than decoding and encoding them. */
async function* validateUtf8(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let line = 1;
  /** The bytes of a character that continues in the next piece. */
  let carried: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const bytes = carried.length > 0 ? Buffer.concat([carried, piece]) : piece;
    const end = endOfWholeCharacters(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole) || whole.includes(0)) throw notUtf8(whole, line);
    line += countLines(whole);
    // Copied, because the sender may reuse the memory of the piece.
    carried = Buffer.from(bytes.subarray(end));
    if (whole.length > 0) yield whole;
  }
  if (carried.length > 0) throw notUtf8(carried, line);
}

/** Returns the start of the last character if some of its bytes are still missing, otherwise the end. */
function endOfWholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}

function notUtf8(bytes: Buffer, firstLine: number): DomainError {
  if (bytes.includes(0)) return notText(`The file is not text: it contains a zero byte. ${SAVE_AS}`);
  // The line number helps the customer to find the one name with an accent.
  let line = firstLine;
  let from = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
    if (!isUtf8(bytes.subarray(from, end))) break;
    from = end + 1;
    line++;
  }
  return notText(`Line ${line} of the file is not in UTF-8. ${SAVE_AS}`);
}

async function* convertUtf16(source: AsyncGenerator<Buffer>, encoding: Encoding): AsyncGenerator<Buffer> {
  // `ignoreBOM` keeps U+FEFF: the byte order mark is already skipped, so this is a character of the text.
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  const convert = (piece?: Buffer): Buffer => {
    let text: string;
    try {
      text = piece ? decoder.decode(piece, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw notText(`The file starts as UTF-16, but a later part of it is not valid UTF-16. ${SAVE_AS}`, cause);
    }
    if (text.includes('\0')) throw notText(`The file is not text: it contains a zero character. ${SAVE_AS}`);
    return Buffer.from(text);
  };
  for await (const piece of source) yield convert(piece);
  yield convert();
}

function notText(detail: string, cause?: unknown): DomainError {
  return new DomainError('file_not_text', detail, { cause });
}
