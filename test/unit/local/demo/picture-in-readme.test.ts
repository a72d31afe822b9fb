import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type CauseCode, causes } from '../../../../shared/causes/causes.ts';

const unescapeXml = (text: string) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** The pieces of text in the picture of the README, from the top left to the bottom right. */
const texts = [...readFileSync('docs/demo.svg', 'utf8').matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text = '']) =>
  unescapeXml(text),
);

const isCauseCode = (text: string): text is CauseCode => Object.hasOwn(causes, text);

it('docs/demo.svg shows the fixes of the catalogue. If it does not, run `npm run docs:demo`', () => {
  const shown = texts.flatMap((text, index) =>
    isCauseCode(text) ? [{ cause: text, line: texts[index + 1] ?? '' }] : [],
  );
  expect(shown.length).toBeGreaterThan(5);
  expect(shown.filter(({ cause, line }) => !causes[cause].fix.startsWith(line))).toEqual([]);
});
