import path from 'node:path';
import { DomainError } from '../../../kernel/errors.ts';
import type { Archive } from './archive.ts';
import { readWholeXml } from './read-xml.ts';
import { refuseArchive } from './refuse-archive.ts';
import { damagedWorkbook } from './workbook-errors.ts';

/** Where the parts of a workbook are that are needed to read its first visible sheet. */
export interface FoundSheet {
  name: string;
  part: string;
  sharedStrings?: string;
  styles?: string;
  /** Dates count from 1904, as in workbooks from old versions of Excel for the Mac. */
  countsFrom1904: boolean;
}

interface Relationship {
  /** The last part of the type's address, which is the same in both versions of the format. */
  type: string;
  target: string;
}

const ROOT = '';

/** @throws DomainError `file_malformed`, `file_not_text` if the archive is not a workbook, `file_empty` without a sheet */
export async function findSheet(archive: Archive): Promise<FoundSheet> {
  if (!archive.has(relationshipsOf(ROOT))) throw refuseArchive(archive.names);
  const ofPackage = [...(await readRelationships(archive, ROOT)).values()];
  const isWorkbook = ({ type, target }: Relationship) =>
    type === 'officeDocument' && target.endsWith('.xml') && !/^(?:word|ppt)\//.test(target);
  const workbook = ofPackage.find(isWorkbook)?.target;
  if (workbook === undefined) throw refuseArchive(archive.names);
  const relationships = await readRelationships(archive, workbook);
  const parts = [...relationships.values()];
  const { sheets, countsFrom1904 } = await readWorkbook(archive, workbook);
  const sheet = sheets.find(({ id, isVisible }) => isVisible && relationships.get(id)?.type === 'worksheet');
  const part = sheet && relationships.get(sheet.id)?.target;
  if (part === undefined) {
    throw new DomainError(
      'file_empty',
      'The Excel workbook has no visible sheet. Unhide the sheet with the mailboxes.',
    );
  }
  const partOf = (type: string) => parts.find((one) => one.type === type && archive.has(one.target))?.target;
  const [sharedStrings, styles] = [partOf('sharedStrings'), partOf('styles')];
  return {
    name: sheet?.name ?? '',
    part,
    countsFrom1904,
    ...(sharedStrings !== undefined && { sharedStrings }),
    ...(styles !== undefined && { styles }),
  };
}

/** The part that holds the relationships of another part. */
function relationshipsOf(part: string): string {
  return path.posix.join(path.posix.dirname(part), '_rels', `${path.posix.basename(part)}.rels`);
}

/** The relationships of a part, by their IDs. */
async function readRelationships(archive: Archive, part: string): Promise<Map<string, Relationship>> {
  const found = new Map<string, Relationship>();
  await readWholeXml(archive.read(relationshipsOf(part)), {
    open(name, { Id, Type = '', Target = '', TargetMode }) {
      if (name !== 'Relationship' || Id === undefined || TargetMode === 'External') return;
      const target = path.posix.resolve('/', path.posix.dirname(part), Target).slice(1);
      found.set(Id, { type: path.posix.basename(Type), target });
    },
  });
  return found;
}

async function readWorkbook(archive: Archive, workbook: string) {
  const sheets: { name: string; id: string; isVisible: boolean }[] = [];
  let countsFrom1904 = false;
  await readWholeXml(archive.read(workbook), {
    open(element, attributes) {
      if (element === 'workbookPr') countsFrom1904 = /^(1|true)$/i.test(attributes.date1904 ?? '');
      if (element !== 'sheet') return;
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1];
      const isVisible = (attributes.state ?? 'visible') === 'visible';
      if (id !== undefined) sheets.push({ name: attributes.name ?? '', id, isVisible });
    },
  });
  if (sheets.length === 0) throw damagedWorkbook('it names no sheets');
  return { sheets, countsFrom1904 };
}
