import { isAscii, isUtf8 } from 'node:buffer';
import { DomainError } from '../../kernel/errors.ts';
import { countLines } from './count-lines.ts';
import type { Encoding } from './csv-format.ts';
import { recognizeBytes, recognizeText, SAVE_AS } from './file-signatures.ts';
import { createWindows1252Decoder, OVERLAP, type Windows1252Decoder } from './windows-1252.ts';

interface DecodedText {
  /** A file without an encoding mark counts as UTF-8 until a byte shows otherwise. So this is certain at the end only. */
  readonly encoding: Encoding;
  /** The text in UTF-8 without a byte order mark, in pieces of whole characters. */
  text: AsyncGenerator<Buffer>;
}

/** Enough to detect the encoding: every header contains some ASCII. */
const DETECTION_BYTES = 512;
/** An upload that arrives in one piece is still processed in small pieces. */
const PIECE_BYTES = 65_536;

/**
 * Converts a text file to UTF-8. Accepts UTF-8 and UTF-16, with or without a byte order mark, and Windows-1252.
 *
 * The first character outside ASCII decides between UTF-8 and Windows-1252. Never guesses another encoding: a wrong
 * guess would give mailboxes wrong names, and nobody would notice.
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
    const { encoding, markBytes } = detectEncoding(start);
    const known = recognizeBytes(start) ?? recognizeText(textOf(start.subarray(markBytes), encoding));
    if (known) throw notText(`The file is ${known.kind}. ${known.advice}`);
    const content = prepend(start.subarray(markBytes), pieces);
    if (encoding !== 'utf-8') return { encoding, text: convertUtf16(content, encoding) };
    const found: { encoding: Encoding } = { encoding };
    const text = convertBytes(content, markBytes > 0, found);
    return {
      get encoding() {
        return found.encoding;
      },
      text,
    };
  } catch (error) {
    await pieces.return(undefined);
    throw error;
  }
}

/** The start of a file, as far as its text is ASCII. */
function textOf(start: Buffer, encoding: Encoding): string {
  return new TextDecoder(encoding === 'utf-8' ? 'latin1' : encoding).decode(start.subarray(0, DETECTION_BYTES));
}

/** `markBytes` is the length of the byte order mark. */
function detectEncoding(start: Buffer): { encoding: Exclude<Encoding, 'windows-1252'>; markBytes: number } {
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

/**
 * Validates UTF-8 and passes it through. This is several times faster than decoding and encoding it. If the first
 * character outside ASCII is not UTF-8, the text is in Windows-1252. What came before is the same in both encodings.
 *
 * @param isMarked the file starts with the byte order mark of UTF-8
 */
async function* convertBytes(
  source: AsyncGenerator<Buffer>,
  isMarked: boolean,
  found: { encoding: Encoding },
): AsyncGenerator<Buffer> {
  let line = 1;
  let isCertain = isMarked;
  /** The last characters of the text so far, while it is ASCII. */
  let tail = '';
  let windows1252: Windows1252Decoder | undefined;
  /** The bytes of a character that continues in the next piece. */
  let carried: Buffer = Buffer.alloc(0);

  /** The text of these bytes, which end with a character. */
  function convert(bytes: Buffer): Buffer {
    if (bytes.includes(0)) throw notText(`The file is not text: it contains a zero byte. ${SAVE_AS}`);
    if (windows1252) return windows1252.decode(bytes);
    if (isUtf8(bytes)) {
      isCertain ||= !isAscii(bytes);
      line += countLines(bytes);
      if (!isCertain) tail = (tail + bytes.subarray(-OVERLAP).toString('latin1')).slice(-OVERLAP);
      return bytes;
    }
    if (isCertain || startsAsUtf8(bytes)) throw notUtf8(bytes, line);
    found.encoding = 'windows-1252';
    windows1252 = createWindows1252Decoder(tail, line);
    return windows1252.decode(bytes);
  }

  for await (const piece of source) {
    const bytes = carried.length > 0 ? Buffer.concat([carried, piece]) : piece;
    const end = windows1252 ? bytes.length : endOfWholeCharacters(bytes);
    const whole = convert(bytes.subarray(0, end));
    // Copied, because the sender may reuse the memory of the piece.
    carried = Buffer.from(bytes.subarray(end));
    if (whole.length > 0) yield whole;
  }
  if (carried.length > 0) yield convert(carried);
}

/** Whether the first character outside ASCII is UTF-8. */
function startsAsUtf8(bytes: Buffer): boolean {
  const first = bytes.findIndex((byte) => byte >= 0x80);
  for (let length = 2; length <= 4; length++) {
    if (isUtf8(bytes.subarray(first, first + length))) return true;
  }
  return false;
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

function notUtf8(bytes: Buffer, firstLine: number): DomainError {
  // The line number helps the customer to find the one name with an accent.
  const lineEnd = bytes.includes('\n') ? '\n' : '\r';
  let line = firstLine;
  let from = 0;
  for (let end = bytes.indexOf(lineEnd); end !== -1; end = bytes.indexOf(lineEnd, from)) {
    if (!isUtf8(bytes.subarray(from, end))) break;
    from = end + 1;
    line++;
  }
  return notText(`Line ${line} of the file is not in UTF-8, but the text before it is. ${SAVE_AS}`);
}

async function* convertUtf16(
  source: AsyncGenerator<Buffer>,
  encoding: 'utf-16le' | 'utf-16be',
): AsyncGenerator<Buffer> {
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
