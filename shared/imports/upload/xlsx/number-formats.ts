import { readWholeXml } from './read-xml.ts';

/** How a number is shown: as a date, a time or both, or filled up with zeros to a number of digits. */
interface NumberFormat {
  isDate: boolean;
  isTime: boolean;
  digits: number;
}

const PLAIN: NumberFormat = { isDate: false, isTime: false, digits: 0 };

/** Formats that have no code in the file. Numbers 27 to 36 and 50 to 58 are dates in Chinese, Japanese and Korean. */
function builtInFormat(id: number): NumberFormat {
  if (id === 22) return { ...PLAIN, isDate: true, isTime: true };
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return { ...PLAIN, isDate: true };
  if ((id >= 18 && id <= 21) || (id >= 45 && id <= 47)) return { ...PLAIN, isTime: true };
  return PLAIN;
}

function parseFormat(code: string): NumberFormat {
  if (/^0{2,20}$/.test(code)) return { ...PLAIN, digits: code.length };
  // Text in quotes, escaped and spacing characters, colours and countries are not part of the format. Hours, minutes and
  // seconds in brackets are.
  const bare = code.replace(/"[^"]*"|[\\_*].|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '').split(';')[0] ?? '';
  if (/general/i.test(bare)) return PLAIN;
  const isTime = /[hs]/i.test(bare);
  return { ...PLAIN, isTime, isDate: /[yd]/i.test(bare) || (!isTime && /m/i.test(bare)) };
}

/** The formats of cells, by the number of their style. */
export async function readNumberFormats(source: AsyncGenerator<Buffer>): Promise<readonly NumberFormat[]> {
  const custom = new Map<number, NumberFormat>();
  const ofStyles: NumberFormat[] = [];
  let isStyles = false;
  await readWholeXml(source, {
    open(name, { numFmtId, formatCode = '' }) {
      const id = Number(numFmtId);
      if (name === 'numFmt') custom.set(id, parseFormat(formatCode.slice(0, 500)));
      else if (name === 'cellXfs') isStyles = true;
      else if (name === 'xf' && isStyles) ofStyles.push(custom.get(id) ?? builtInFormat(id));
    },
    close(name) {
      if (name === 'cellXfs') isStyles = false;
    },
  });
  return ofStyles;
}

const DAY_MS = 86_400_000;
/** The day 0. Excel takes 1900 for a leap year, so days before March 1900 are one more. */
const DAY_0_OF_1900 = Date.UTC(1899, 11, 30);
const DAY_0_OF_1904 = Date.UTC(1904, 0, 1);
const LEAP_DAY = 60;
/** 31 December 9999. */
const DAY_MAX = 2_958_466;

/** The text of a number as a person reads it in the cell, with dates in ISO 8601. */
export function formatNumber(value: string, format: NumberFormat = PLAIN, countsFrom1904 = false): string {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) return value;
  if ((format.isDate || format.isTime) && number >= 0 && number < DAY_MAX)
    return formatInstant(number, format, countsFrom1904);
  // As many digits as Excel shows. The file has 17, which tell 0.1 + 0.2 from 0.3.
  const text = /^-?\d{1,15}$/.test(value) ? value : String(Number(number.toPrecision(15)));
  return format.digits > 0 && /^\d+$/.test(text) ? text.padStart(format.digits, '0') : text;
}

function formatInstant(days: number, { isDate, isTime }: NumberFormat, countsFrom1904: boolean): string {
  const day0 = countsFrom1904 ? DAY_0_OF_1904 : DAY_0_OF_1900 + (days < LEAP_DAY ? DAY_MS : 0);
  const seconds = Math.round((days * DAY_MS) / 1_000);
  const text = new Date(day0 + seconds * 1_000).toISOString();
  if (isDate && isTime) return text.slice(0, 19);
  return isDate ? text.slice(0, 10) : text.slice(11, 19);
}
