import { type OpenedUpload, uploadTypes } from './read-upload.ts';
import type { WorkbookReader } from './xlsx/read-workbook.ts';

const ZIP_SIGNATURE = Buffer.from('PK\x03\x04', 'latin1');
/** An archive without parts. */
const EMPTY_ZIP_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1');

/**
 * Opens a file as a CSV or an Excel workbook. The first bytes decide: browsers and other clients often send workbooks as
 * `text/csv`, and CSV under the media type of Excel.
 */
export async function openFile(source: AsyncIterable<Uint8Array>, readWorkbook: WorkbookReader): Promise<OpenedUpload> {
  const { start, content } = await peek(source, ZIP_SIGNATURE.length);
  if (!start.equals(ZIP_SIGNATURE) && !start.equals(EMPTY_ZIP_SIGNATURE)) {
    return { type: uploadTypes.csv, bytes: content };
  }
  const workbook = readWorkbook(content);
  return { type: uploadTypes.csv, bytes: workbook.csv, workbook };
}

/** The first bytes of a stream, and the whole stream. */
async function peek(source: AsyncIterable<Uint8Array>, count: number) {
  const reading = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < count) {
    const next = await reading.next();
    if (next.done) break;
    chunks.push(next.value);
    size += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
      for (let next = await reading.next(); !next.done; next = await reading.next()) yield next.value;
    } finally {
      await reading.return?.();
    }
  }
  return { start: Buffer.concat(chunks).subarray(0, count), content: all() };
}
