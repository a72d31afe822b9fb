import { expect, it } from 'vitest';
import { controlCharacter, onOneLine } from '../../../shared/kernel/control-characters.ts';

it.each(['\0', '\t', '\n', '\r\n', '\u001f', '\u007f'])(
  '%j is a control character, and becomes a space on one line',
  (text) => {
    expect(controlCharacter.test(`Jane${text}Doe`)).toBe(true);
    expect(onOneLine(`Jane${text}Doe`)).toBe('Jane Doe');
  },
);

it.each(['\u0085', '\u2028', '\u2029'])('%j ends a line as well', (text) => {
  expect(onOneLine(`Jane${text}${text}Doe`)).toBe('Jane Doe');
});

it('leaves other text as it is, however often it is asked', () => {
  const text = ' Zoë O’Neil-\u{1F600} \u00a0株式会社 ';
  for (let i = 0; i < 3; i++) {
    expect(controlCharacter.test(text)).toBe(false);
    expect(onOneLine(text)).toBe(text);
  }
});
