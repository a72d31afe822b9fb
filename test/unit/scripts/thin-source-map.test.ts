import { SourceMap, type SourceMapPayload } from 'node:module';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';
import { thinSourceMap } from '../../../scripts/thin-source-map.ts';

const code = `export function first(one, two) {
  const sum = one + two;
  return sum * 2;
}
export function second(text) {
  if (text === '') throw new Error('empty');
  return text.toUpperCase();
}
`;

function mapOf(sourcefile: string) {
  const built = transformSync(code, { sourcefile, minifyWhitespace: true, minifySyntax: true, sourcemap: true });
  const whole = JSON.parse(built.map);
  const thin = thinSourceMap(whole);
  const at = (map: SourceMapPayload) => (column: number) => {
    const { originalSource, originalLine, originalColumn } = Object(new SourceMap(map).findEntry(0, column));
    return { originalSource, originalLine, originalColumn };
  };
  const { length } = built.code.split('\n')[0] ?? '';
  const columns = Array.from({ length }, (_, column) => column);
  return { whole, thin, columns, before: at(whole), after: at(thin as SourceMapPayload) };
}

test('every position in our own code leads to the same place as before', () => {
  const { columns, before, after, whole, thin } = mapOf('../shared/own.ts');
  for (const column of columns) expect(after(column)).toEqual(before(column));
  expect(thin.mappings).toBe(whole.mappings);
});

test('every position in the code of a dependency leads to the same file and line as before, in a much smaller map', () => {
  const { columns, before, after, whole, thin } = mapOf('../node_modules/package/index.js');
  for (const column of columns) {
    const { originalColumn: _not, ...place } = before(column);
    expect(after(column)).toMatchObject(place);
  }
  expect(new Set(columns.map((column) => after(column).originalLine)).size).toBeGreaterThan(4);
  expect(thin.mappings.length).toBeLessThan(whole.mappings.length / 2);
});

test('the sources themselves are left out', () => {
  const { whole, thin } = mapOf('../shared/own.ts');
  expect(whole.sourcesContent).toHaveLength(1);
  expect(thin).not.toHaveProperty('sourcesContent');
});
