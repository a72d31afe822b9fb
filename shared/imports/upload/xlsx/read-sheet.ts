import { formatNumber, type readNumberFormats } from './number-formats.ts';
import { readXml, type XmlHandler } from './read-xml.ts';
import type { SharedStrings } from './shared-strings.ts';
import { unescapeText } from './unescape-text.ts';
import { damagedWorkbook } from './workbook-errors.ts';

export interface SheetRow {
  /** The number of the row in the sheet, from 1. Rows without cells may be missing. */
  number: number;
  /** The texts of the cells as a person reads them. Empty cells may be missing. */
  cells: (string | undefined)[];
}

interface SheetContext {
  strings?: SharedStrings;
  formats?: Awaited<ReturnType<typeof readNumberFormats>>;
  countsFrom1904: boolean;
  /** A row is cut after this number of characters. */
  rowMaxLength: number;
  /** Columns that are read. The caller may lower it between rows. */
  columnsMax: () => number;
}

const ROWS_MAX = 1_048_576;
export const COLUMNS_MAX = 16_384;

/**
 * Reads the rows of a sheet, in groups, while it streams in. Holds the rows of 8,192 characters.
 *
 * @throws DomainError `file_malformed`
 */
export async function* readSheet(source: AsyncGenerator<Buffer>, context: SheetContext): AsyncGenerator<SheetRow[]> {
  let rows: SheetRow[] = [];
  let row: SheetRow = { number: 0, cells: [] };
  let rowLength = 0;
  let column = -1;
  let type = 'n';
  let style = 0;
  let value: string | undefined;
  let formula = '';
  let collects: 'value' | 'formula' | undefined;
  let isPhonetic = false;
  let isSheetData = false;
  let isEnded = false;

  function startRow(number: number): void {
    if (!Number.isInteger(number) || number <= row.number || number > ROWS_MAX) {
      throw damagedWorkbook(`row ${row.number} is followed by row ${number}`);
    }
    row = { number, cells: [] };
    rowLength = 0;
    column = -1;
  }

  function endCell(): void {
    if (column >= context.columnsMax() || rowLength > context.rowMaxLength) return;
    // Programs that do not calculate write formulas without a result, or with an empty one that is no text.
    const hasResult = value !== undefined && (value !== '' || type === 'str');
    const text = hasResult ? toText(type, value ?? '', style, context) : formula && `=${formula}`;
    if (text === '') return;
    row.cells[column] = text;
    rowLength += text.length;
  }

  const handler: XmlHandler = {
    // What follows the cells can be large, and is not needed.
    isDone: () => isEnded,
    open(name: string, attributes: Readonly<Record<string, string>>) {
      if (name === 'sheetData') isSheetData = true;
      if (!isSheetData) return;
      switch (name) {
        case 'row':
          startRow(attributes.r === undefined ? row.number + 1 : Number(attributes.r));
          break;
        case 'c':
          column = attributes.r === undefined ? column + 1 : columnOf(attributes.r);
          if (column >= COLUMNS_MAX) throw damagedWorkbook(`row ${row.number} has more than ${COLUMNS_MAX} columns`);
          type = attributes.t ?? 'n';
          style = Number(attributes.s ?? 0);
          value = undefined;
          formula = '';
          break;
        case 'v':
          collects = 'value';
          value = '';
          break;
        case 't':
          if (isPhonetic) break;
          collects = 'value';
          value ??= '';
          break;
        case 'f':
          collects = 'formula';
          break;
        case 'rPh':
          isPhonetic = true;
          break;
      }
    },
    text(piece: string) {
      if (collects === 'formula') formula += piece.slice(0, 100 - formula.length);
      else if (collects === 'value' && (value?.length ?? 0) <= context.rowMaxLength) {
        value += piece.slice(0, context.rowMaxLength + 1);
      }
    },
    close(name: string) {
      if (!isSheetData || isEnded) return;
      if (name === 'v' || name === 't' || name === 'f') collects = undefined;
      else if (name === 'rPh') isPhonetic = false;
      else if (name === 'c') endCell();
      else if (name === 'row') {
        if (row.cells.length > 0) rows.push(row);
      } else if (name === 'sheetData') isEnded = true;
    },
  };
  for await (const _ of readXml(source, handler)) {
    if (rows.length === 0) continue;
    yield rows;
    rows = [];
  }
  if (!isSheetData) throw damagedWorkbook('its sheet has no cells');
}

/** `C7` is in column 2. */
function columnOf(reference: string): number {
  const letters = /^\$?([A-Z]{1,3})\$?\d{1,7}$/.exec(reference)?.[1];
  if (letters === undefined) throw damagedWorkbook(`it has a cell "${reference.slice(0, 20)}"`);
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

function toText(type: string, value: string, style: number, context: SheetContext): string {
  if (value === '') return '';
  switch (type) {
    case 's': {
      const text = context.strings?.get(Number(value));
      if (text === undefined) throw damagedWorkbook(`it has no text ${value.slice(0, 20)}`);
      return text;
    }
    case 'n':
      return formatNumber(value, context.formats?.[style], context.countsFrom1904);
    case 'b':
      return value === '1' ? 'TRUE' : 'FALSE';
    case 'd':
    case 'e':
      return value;
    default:
      return unescapeText(value);
  }
}
