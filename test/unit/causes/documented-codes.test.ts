import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { entraCodes } from '../../../shared/causes/entra-codes.ts';
import { denialCodes, graphCodes } from '../../../shared/causes/graph-codes.ts';

const lines = readFileSync('docs/microsoft365.md', 'utf8').split('\n');

/** The codes that Microsoft documents or sends. The others are names of our own. */
const aadsts = Object.entries(entraCodes).filter(([code]) => code.startsWith('AADSTS'));

const hasLine = (...words: string[]) => lines.some((line) => words.every((word) => line.includes(word)));

it('docs/microsoft365.md names the cause of every AADSTS number', () => {
  expect(aadsts.length).toBeGreaterThan(30);
  const numberOf = (code: string) => code.slice('AADSTS'.length);
  const isDocumented = (code: string, cause: string) =>
    lines.some((line) => {
      const [, numbers = '', ...cells] = line.split('|').map((cell) => cell.trim());
      return numbers.split(', ').includes(numberOf(code)) && cells.includes(`\`${cause}\``);
    });
  expect(aadsts.filter(([code, cause]) => !isDocumented(code, cause))).toEqual([]);
});

it('docs/microsoft365.md names the cause of every Graph code', () => {
  expect(Object.entries(graphCodes).filter(([code, cause]) => !hasLine(`\`${code}\``, `\`${cause}\``))).toEqual([]);
  expect([...denialCodes].filter((code) => !hasLine('`denialCodes`', `\`${code}\``))).toEqual([]);
});
