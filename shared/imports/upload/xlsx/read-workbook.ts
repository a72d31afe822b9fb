import pLimit from 'p-limit';
import { onOneLine } from '../../../kernel/control-characters.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { findHeader, PREAMBLE_MAX } from '../parse-header.ts';
import { limitBytes, type UploadLimits } from '../upload-limits.ts';
import { type Archive, openArchive } from './archive.ts';
import { findSheet } from './find-sheet.ts';
import { readNumberFormats } from './number-formats.ts';
import { COLUMNS_MAX, readSheet, type SheetRow } from './read-sheet.ts';
import { readSharedStrings } from './shared-strings.ts';
import { spoolToDisk } from './spool-to-disk.ts';

/** A workbook that is being read as CSV. */
export interface ReadWorkbook {
  /** The first visible sheet as CSV. Line numbers are the numbers of the sheet's rows. */
  csv: AsyncGenerator<Uint8Array>;
  /** The name of the sheet. Known when the first bytes are read. */
  readonly sheet: string | undefined;
}

export type WorkbookReader = (source: AsyncIterable<Uint8Array>) => ReadWorkbook;

export interface WorkbookLimits extends Pick<UploadLimits, 'maxBytes' | 'recordMaxBytes'> {
  workbookMaxBytes: number;
  unpackedMaxBytes: number;
}

/** Workbooks that one process unpacks at the same time. Each may hold the texts of its cells: `maxBytes`. */
const AT_THE_SAME_TIME = 2;

/**
 * Reads Excel workbooks (.xlsx, .xlsm) as CSV, so that they are stored, and read again, in the same way as a CSV.
 *
 * The directory of a workbook is at its end, and the texts of the cells are often behind the sheet. So a workbook is
 * written to a temporary file first, and unpacked from there. Nothing of it is held but the texts.
 */
export function createWorkbookReader(limits: WorkbookLimits): WorkbookReader {
  const turns = pLimit(AT_THE_SAME_TIME);
  return (source) => {
    let sheet: string | undefined;
    async function* convert(): AsyncGenerator<Uint8Array> {
      const file = await spoolToDisk(limitBytes(source, limits.workbookMaxBytes));
      const ended = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      void turns(() => {
        started.resolve();
        return ended.promise;
      });
      await started.promise;
      try {
        const archive = await openArchive(file, limits.unpackedMaxBytes);
        try {
          const found = await findSheet(archive);
          sheet = found.name;
          yield* writeCsv(found.name, await openSheet(archive, found, limits));
        } finally {
          archive.close();
        }
      } finally {
        ended.resolve();
      }
    }
    return {
      csv: convert(),
      get sheet() {
        return sheet;
      },
    };
  };
}

interface OpenSheet {
  rows: AsyncGenerator<SheetRow[]>;
  /** Columns behind these are not read from now on. */
  setWidth(columns: number): void;
}

async function openSheet(
  archive: Archive,
  found: Awaited<ReturnType<typeof findSheet>>,
  { recordMaxBytes, maxBytes }: WorkbookLimits,
): Promise<OpenSheet> {
  let width = COLUMNS_MAX;
  const context: Parameters<typeof readSheet>[1] = {
    countsFrom1904: found.countsFrom1904,
    rowMaxLength: recordMaxBytes,
    columnsMax: () => width,
  };
  if (found.sharedStrings !== undefined) {
    const lengths = { lengthMax: recordMaxBytes, maxBytes };
    context.strings = await readSharedStrings(archive.read(found.sharedStrings), lengths);
  }
  if (found.styles !== undefined) context.formats = await readNumberFormats(archive.read(found.styles));
  return {
    rows: readSheet(archive.read(found.part), context),
    setWidth(columns) {
      width = columns;
    },
  };
}

/**
 * Rows end where the header ends: what stands beside the table is not part of it. A row that the sheet does not have is
 * a blank line.
 */
async function* writeCsv(sheet: string, { rows, setWidth }: OpenSheet): AsyncGenerator<Uint8Array> {
  let line = 1;
  let width: number | undefined;
  let preamble = 0;
  for await (const group of rows) {
    let text = '';
    for (const { number, cells } of group) {
      if (width === undefined && cells.some((cell) => cell?.trim())) {
        const filled = Array.from(cells, (cell) => cell?.trim() ?? '');
        const header = findHeader(filled, ',', preamble === 0);
        if (header || ++preamble === PREAMBLE_MAX) {
          width = cells.length;
          setWidth(width);
        }
      }
      text += '\n'.repeat(number - line) + toLine(cells, width ?? cells.length);
      line = number;
    }
    yield Buffer.from(text);
  }
  if (width === undefined && preamble === 0) {
    throw new DomainError(
      'file_empty',
      `The sheet "${sheet.slice(0, 100)}" is empty. Muster reads the first visible sheet of a workbook. Move the sheet with the mailboxes to the front.`,
    );
  }
}

function toLine(cells: readonly (string | undefined)[], width: number): string {
  const fields: string[] = [];
  for (let column = 0; column < width; column++) fields.push(toField(cells[column] ?? ''));
  return fields.join(',');
}

/** A cell with several lines is one value without doubt, unlike in a CSV, where a quotation mark may be missing. */
function toField(text: string): string {
  return text === '' ? '' : `"${onOneLine(text).replaceAll('"', '""')}"`;
}
