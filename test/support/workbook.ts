import { crc32, deflateRawSync } from 'node:zlib';

/** One part of a ZIP archive, before it is packed. */
export interface Part {
  name: string;
  content: Uint8Array | string;
  /** What the archive states instead of the truth. */
  stated?: { size?: number; crc?: number };
  isStored?: boolean;
  isEncrypted?: boolean;
}

/** Packs parts into a ZIP archive. */
export function zipOf(parts: readonly Part[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, stated, isStored, isEncrypted } of parts) {
    const bytes = Buffer.from(content);
    const packed = isStored ? bytes : deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800 | (isEncrypted ? 1 : 0), 2);
    fields.writeUInt16LE(isStored ? 0 : 8, 4);
    fields.writeUInt32LE(stated?.crc ?? crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(stated?.size ?? bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const file = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), packed]);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 'latin1');
    entry.writeUInt16LE(20, 4);
    fields.copy(entry, 6);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    files.push(file);
    offset += file.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(parts.length % 65_536, 8);
  end.writeUInt16LE(parts.length % 65_536, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, list, end]);
}

interface WorkbookParts {
  /** What stands in `<sheetData>` of the first sheet. */
  sheetData?: string;
  /** The whole sheet. */
  sheet?: Uint8Array | string;
  /** What stands in `<sst>`. */
  strings?: string;
  /** What stands in `<styleSheet>`. */
  styles?: string;
  /** What stands in `<workbook>`. */
  workbook?: string;
  further?: readonly Part[];
}

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n';

const relationships = (list: readonly (readonly [id: string, type: string, target: string])[]) =>
  `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${list
    .map(([id, type, target]) => `<Relationship Id="${id}" Type="${RELATIONSHIPS}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;

export const sheetOf = (sheetData: string) =>
  `${XML}<worksheet xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}"><sheetData>${sheetData}</sheetData></worksheet>`;

/** The parts of a workbook, in the order in which Excel writes them. */
export function workbookParts({
  sheetData = '',
  sheet,
  strings,
  styles,
  workbook,
  further = [],
}: WorkbookParts): Part[] {
  const sheets = workbook ?? '<sheets><sheet name="Mailboxes" sheetId="1" r:id="rId1"/></sheets>';
  return [
    { name: '[Content_Types].xml', content: `${XML}<Types/>` },
    { name: '_rels/.rels', content: relationships([['rId1', 'officeDocument', 'xl/workbook.xml']]) },
    {
      name: 'xl/workbook.xml',
      content: `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}">${sheets}</workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: relationships([
        ['rId1', 'worksheet', 'worksheets/sheet1.xml'],
        ['rId2', 'worksheet', '/xl/worksheets/sheet2.xml'],
        ['rId3', 'sharedStrings', 'sharedStrings.xml'],
        ['rId4', 'styles', 'styles.xml'],
        ['rId5', 'chartsheet', 'chartsheets/sheet1.xml'],
      ]),
    },
    { name: 'xl/worksheets/sheet1.xml', content: sheet ?? sheetOf(sheetData) },
    ...(styles === undefined
      ? []
      : [{ name: 'xl/styles.xml', content: `${XML}<styleSheet xmlns="${MAIN}">${styles}</styleSheet>` }]),
    ...(strings === undefined
      ? []
      : [{ name: 'xl/sharedStrings.xml', content: `${XML}<sst xmlns="${MAIN}">${strings}</sst>` }]),
    ...further,
  ];
}

export function workbookOf(parts: WorkbookParts): Buffer {
  return zipOf(workbookParts(parts));
}

export const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A row of cells that contain their texts. */
export const inlineRow = (number: number, cells: readonly string[]) =>
  `<row r="${number}">${cells
    .map((cell) => `<c t="inlineStr"><is><t xml:space="preserve">${escapeXml(cell)}</t></is></c>`)
    .join('')}</row>`;
