/** What a file is, for a sentence, and how to get a file that Muster can read. */
interface KnownFile {
  kind: string;
  advice: string;
}

export const SAVE_AS = 'In Excel, choose "Save as" and then "CSV UTF-8 (comma delimited)".';
const EXPORT_CSV = 'Export the addresses as CSV instead.';

const bytes = (text: string) => Buffer.from(text, 'latin1');

const byFirstBytes: readonly ({ start: Buffer } & KnownFile)[] = [
  {
    start: Buffer.from([0xd0, 0xcf, 0x11, 0xe0]),
    kind: 'an Excel workbook in the old format (.xls), or one that is protected with a password',
    advice: 'In Excel, remove the password, and save it as "Excel workbook (.xlsx)" or "CSV UTF-8 (comma delimited)".',
  },
  { start: bytes('PK\x03\x04'), kind: 'a ZIP archive', advice: 'Unpack it, and upload the file in it.' },
  { start: Buffer.from([0x1f, 0x8b]), kind: 'a gzip archive', advice: 'Unpack it, and upload the file in it.' },
  { start: bytes('7z\xbc\xaf\x27\x1c'), kind: 'a 7-Zip archive', advice: 'Unpack it, and upload the file in it.' },
  { start: bytes('Rar!'), kind: 'a RAR archive', advice: 'Unpack it, and upload the file in it.' },
  { start: bytes('%PDF'), kind: 'a PDF', advice: EXPORT_CSV },
  { start: bytes('{\\rtf'), kind: 'a text document (.rtf)', advice: EXPORT_CSV },
  { start: bytes('\x89PNG'), kind: 'a picture', advice: EXPORT_CSV },
  { start: Buffer.from([0xff, 0xd8, 0xff]), kind: 'a picture', advice: EXPORT_CSV },
  { start: Buffer.from([0xff, 0xfe, 0x00, 0x00]), kind: 'a text file in UTF-32', advice: SAVE_AS },
  { start: Buffer.from([0x00, 0x00, 0xfe, 0xff]), kind: 'a text file in UTF-32', advice: SAVE_AS },
];

const byFirstText: readonly ({ start: RegExp } & KnownFile)[] = [
  {
    start: /^<(?:!doctype html|html|table|head|body|meta)\b/i,
    kind: 'a web page',
    advice: 'Some programs save one under the name .xls. Open it in Excel, and save it as "Excel workbook (.xlsx)".',
  },
  {
    start: /^<(?:\?xml|[a-z:]+[\s>])/i,
    kind: 'an XML document',
    advice: 'Open it in Excel, and save it as "Excel workbook (.xlsx)".',
  },
  { start: /^BEGIN:VCARD\b/i, kind: 'a contact card (vCard)', advice: EXPORT_CSV },
  {
    start: /^[{[]\s*["{[]/,
    kind: 'JSON',
    advice:
      'Send JSON with the header "Content-Type: application/json", in the form {"mailboxes": [{"address": "…"}]}.',
  },
];

/** Recognizes files that are not a table in text, by how they start. `undefined` for any other file. */
export function recognizeBytes(start: Buffer): KnownFile | undefined {
  return byFirstBytes.find((file) => start.subarray(0, file.start.length).equals(file.start));
}

/** Recognizes texts that are not tables, by their first line. `undefined` for any other text. */
export function recognizeText(start: string): KnownFile | undefined {
  const text = start.slice(0, 200).trimStart();
  return byFirstText.find((file) => file.start.test(text));
}
