import { expect, it } from 'vitest';
import { terminalPicture } from '../../../../local/demo/terminal-picture.ts';
import { styled } from '../../../../local/demo/terminal-text.ts';

const picture = (...lines: string[]) => terminalPicture({ title: 'A title', description: 'A description', lines });

const texts = (svg: string) =>
  [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<\/text>/g)].map(([, x, y, text]) => ({
    x: Number(x),
    y: Number(y),
    text,
  }));

it('has a title and a description for people who cannot see it', () => {
  const svg = picture('$ npm run demo');
  expect(svg).toContain('role="img" aria-labelledby="title description"');
  expect(svg).toContain('<title id="title">A title</title>');
  expect(svg).toContain('<desc id="description">A description</desc>');
});

it('escapes everything that has a meaning in XML, in lines, title and description', () => {
  const hostile = `</text><script>alert("1")</script> & <b>`;
  const svg = terminalPicture({ title: hostile, description: hostile, lines: [hostile] });
  expect(svg).not.toMatch(/<script|<b>/);
  expect(svg.match(/&lt;\/text&gt;&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt; &amp; &lt;b&gt;/g)).toHaveLength(
    3,
  );
});

it('leaves out control characters, which no XML document may contain', () => {
  const svg = picture('bell\u0007 nul\u0000 cursor\u001b[2K end');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not occur
  expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
});

it('keeps columns aligned after text of any style', () => {
  const rows = texts(picture('name      verdict', `${styled('bold', 'jane')}      ${styled('green', 'passed')}`));
  const [name, verdict, jane, passed] = rows;
  expect(rows.map(({ text }) => text)).toEqual(['name', 'verdict', 'jane', 'passed']);
  expect([jane?.x, passed?.x]).toEqual([name?.x, verdict?.x]);
  expect(jane?.y).toBeGreaterThan(name?.y ?? 0);
});

it('draws colours and bold text until their end', () => {
  const svg = picture(`${styled(['bold', 'red'], 'both')} neither`);
  expect(svg).toMatch(/fill="#ff7b72" font-weight="bold">both</);
  expect(svg).toMatch(/lengthAdjust="spacingAndGlyphs">neither</);
});

it('grows with its lines', () => {
  const heightOf = (svg: string) => Number(/height="(\d+)"/.exec(svg)?.[1]);
  expect(heightOf(picture('a', 'b', 'c'))).toBeGreaterThan(heightOf(picture('a')));
});
