import { DomainError } from '../../../kernel/errors.ts';

const SAVE_AS = 'Save it as "Excel workbook (.xlsx)" or as CSV.';

const kinds: readonly { part: RegExp; kind: string; advice: string }[] = [
  { part: /^xl\/workbook\.bin$/i, kind: 'an Excel binary workbook (.xlsb)', advice: SAVE_AS },
  {
    part: /^word\/document\.xml$/i,
    kind: 'a Word document',
    advice: 'Copy the table to a spreadsheet, and save that.',
  },
  { part: /^ppt\/presentation\.xml$/i, kind: 'a PowerPoint presentation', advice: 'Upload a spreadsheet or a CSV.' },
  {
    part: /^index\/.*\.iwa$|^index\.zip$/i,
    kind: 'a document of Apple Numbers or Pages',
    advice: 'In Numbers, choose "File", "Export To", "CSV".',
  },
  {
    part: /^content\.xml$/i,
    kind: 'an OpenDocument spreadsheet (.ods)',
    advice: `In LibreOffice, save it as .xlsx or CSV.`,
  },
];

/** The refusal of a ZIP archive that is not a workbook: what it is, and what to do. */
export function refuseArchive(parts: readonly string[]): DomainError {
  const known = kinds.find(({ part }) => parts.some((name) => part.test(name)));
  if (known) return new DomainError('file_not_text', `The file is ${known.kind}. ${known.advice}`);
  const [first] = parts;
  const content = first === undefined ? 'It is empty.' : `It contains "${first.slice(0, 100)}".`;
  return new DomainError(
    'file_not_text',
    `The file is a ZIP archive, not a CSV or an Excel workbook. ${content} Unpack it, and upload the file in it.`,
  );
}
