import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { createPreviewBook } from '../../shared/imports/upload/preview-upload.ts';
import { readUpload, uploadTypes } from '../../shared/imports/upload/read-upload.ts';
import type { FileRead } from '../files.ts';

const LINES_IN_A_CHUNK = 1_000;
/** Rows between two looks at the memory. */
const LOOK_EVERY = 50_000;
const LIMITS = { maxBytes: 1_000_000_000, maxRows: 10_000_000, recordMaxBytes: 65_536, nameMaxLength: 200 };

/** The process of a reader: `read-file.ts <bare|validated|dryRun> <rows>`. Writes what it measured as JSON. */
const [how, rows] = [process.argv[2], Number(process.argv[3])];

async function* fileOf(count: number): AsyncGenerator<Buffer> {
  yield Buffer.from('email,name,daily limit,reference\n');
  for (let from = 0; from < count; from += LINES_IN_A_CHUNK) {
    const lines = Array.from({ length: Math.min(LINES_IN_A_CHUNK, count - from) }, (_, i) => {
      const number = from + i;
      return `user${number}@contoso.example,"Person, number ${number}",50,crm-${number}\n`;
    });
    yield Buffer.from(lines.join(''));
  }
}

async function readBare(): Promise<void> {
  for await (const _record of Readable.from(fileOf(rows)).pipe(parse({ bom: true }))) look();
}

async function readValidated(): Promise<void> {
  const upload = await readUpload(uploadTypes.csv, fileOf(rows), LIMITS);
  for await (const row of upload.rows) {
    if (!row.ok) throw new Error(`line ${row.line} was rejected`);
    look();
  }
}

/** Finds duplicates as well. */
async function readForDryRun(): Promise<void> {
  const upload = await readUpload(uploadTypes.csv, fileOf(rows), LIMITS);
  const preview = createPreviewBook(async () => new Map(), { free: rows });
  for await (const row of upload.rows) {
    await preview.add(row);
    look();
  }
  const { accepted } = await preview.close(upload.columns);
  if (accepted !== rows) throw new Error(`${accepted} of ${rows} rows were accepted`);
}

let read = 0;
let peakBytes = 0;
let lookedMs = 0;
function look(): void {
  if (++read % LOOK_EVERY !== 0) return;
  const lookedAt = performance.now();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  peakBytes = Math.max(peakBytes, heapUsed + external);
  lookedMs += performance.now() - lookedAt;
}

const startedAt = performance.now();
const readers = { bare: readBare, validated: readValidated, dryRun: readForDryRun };
await readers[how as keyof typeof readers]();
const result: FileRead = { seconds: (performance.now() - startedAt - lookedMs) / 1000, peakBytes };
console.log(JSON.stringify(result));
