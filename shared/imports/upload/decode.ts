import { isUtf8 } from 'node:buffer';
import { DomainError } from '../../kernel/errors.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

export interface Decoded {
  encoding: Encoding;
  /** The same text in UTF-8 without a byte order mark, in pieces of at most 64 KiB that may end inside a character. */
  text: AsyncGenerator<Buffer>;
}

/** Enough to tell the encoding by: every header row has some ASCII in it. */
const SNIFFED_BYTES = 512;
/** So that an upload that arrives in one piece is still worked on in small ones. */
const PIECE_BYTES = 65_536;

const SAVE_AS = 'In Excel, choose "Save as" and "CSV UTF-8 (comma delimited)".';

const signatures: readonly { bytes: Buffer; what: string }[] = [
  { bytes: Buffer.from('PK\x03\x04', 'latin1'), what: 'an Excel workbook (.xlsx) or a ZIP archive' },
  { bytes: Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), what: 'an Excel workbook (.xls)' },
  { bytes: Buffer.from([0x1f, 0x8b]), what: 'a gzip archive' },
  { bytes: Buffer.from('%PDF', 'latin1'), what: 'a PDF' },
  { bytes: Buffer.from([0xff, 0xfe, 0x00, 0x00]), what: 'a file in UTF-32' },
  { bytes: Buffer.from([0x00, 0x00, 0xfe, 0xff]), what: 'a file in UTF-32' },
];

/**
 * Turns the bytes of a text file into UTF-8: from UTF-8 or UTF-16, with or without a byte order mark.
 *
 * @throws DomainError `file_not_text` for anything else, at once where the beginning tells, otherwise while reading.
 * Other encodings are never guessed: a wrong guess would give mailboxes wrong names in silence.
 */
export async function decode(source: AsyncIterable<Uint8Array>): Promise<Decoded> {
  const pieces = inPieces(source);
  try {
    const taken: Buffer[] = [];
    let size = 0;
    while (size < SNIFFED_BYTES) {
      const next = await pieces.next();
      if (next.done) break;
      taken.push(next.value);
      size += next.value.length;
    }
    const start = Buffer.concat(taken);
    const known = signatures.find(({ bytes }) => start.subarray(0, bytes.length).equals(bytes));
    if (known) throw notText(`This is ${known.what}, not a CSV. ${SAVE_AS}`);
    const { encoding, skip } = sniff(start);
    const rest = joined(start.subarray(skip), pieces);
    return { encoding, text: encoding === 'utf-8' ? checkedUtf8(rest) : fromUtf16(rest, encoding) };
  } catch (error) {
    await pieces.return(undefined);
    throw error;
  }
}

function sniff(start: Buffer): { encoding: Encoding; skip: number } {
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return { encoding: 'utf-8', skip: 3 };
  if (start[0] === 0xff && start[1] === 0xfe) return { encoding: 'utf-16le', skip: 2 };
  if (start[0] === 0xfe && start[1] === 0xff) return { encoding: 'utf-16be', skip: 2 };
  // Without a mark: in ASCII written as UTF-16 every second byte is zero, always on the same side. Other scripts have
  // few zeros, a few of them on the other side (the low byte of U+1F600 is one).
  const bytes = start.subarray(0, SNIFFED_BYTES);
  const pairs = Math.floor(bytes.length / 2);
  let even = 0;
  let odd = 0;
  for (let i = 0; i < pairs * 2; i += 2) {
    if (bytes[i] === 0) even++;
    if (bytes[i + 1] === 0) odd++;
  }
  if (odd > 4 * even && odd * 4 > pairs) return { encoding: 'utf-16le', skip: 0 };
  if (even > 4 * odd && even * 4 > pairs) return { encoding: 'utf-16be', skip: 0 };
  return { encoding: 'utf-8', skip: 0 };
}

async function* inPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

async function* joined(first: Buffer, rest: AsyncGenerator<Buffer, void, undefined>): AsyncGenerator<Buffer> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** Passes the bytes on as they are once they are known to be UTF-8: several times faster than decoding and encoding. */
async function* checkedUtf8(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let line = 1;
  let carried: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const bytes = carried.length > 0 ? Buffer.concat([carried, piece]) : piece;
    const end = endOfWholeCharacters(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole) || whole.includes(0)) throw notUtf8(whole, line);
    line += countLines(whole);
    // A copy: the piece's memory is the sender's.
    carried = Buffer.from(bytes.subarray(end));
    if (whole.length > 0) yield whole;
  }
  if (carried.length > 0) throw notUtf8(carried, line);
}

/** Where the last character begins if its bytes are not all there yet; otherwise the end. */
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

function notUtf8(bytes: Buffer, line: number): DomainError {
  if (bytes.includes(0)) return notText(`The file is not text: there is a zero byte in it. ${SAVE_AS}`);
  // Which line it is helps to find the one name with an accent in it.
  let from = 0;
  let at = line;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
    if (!isUtf8(bytes.subarray(from, end))) break;
    from = end + 1;
    at++;
  }
  return notText(`Line ${at} of the file is not in UTF-8. Save the file as UTF-8. ${SAVE_AS}`);
}

async function* fromUtf16(source: AsyncGenerator<Buffer>, encoding: Encoding): AsyncGenerator<Buffer> {
  // The mark has been skipped; one that stands inside the text is a character of it.
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  const decoded = (piece?: Buffer): Buffer => {
    let text: string;
    try {
      text = piece ? decoder.decode(piece, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw notText(`The file is broken: it begins as UTF-16 but does not stay it. ${SAVE_AS}`, cause);
    }
    if (text.includes('\0')) throw notText(`The file is not text: there is a zero in it. ${SAVE_AS}`);
    return Buffer.from(text);
  };
  for await (const piece of source) yield decoded(piece);
  yield decoded();
}

function notText(detail: string, cause?: unknown): DomainError {
  return new DomainError('file_not_text', detail, { cause });
}
