import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { createScreen, type Terminal } from '../../../../local/demo/screen.ts';
import { styled } from '../../../../local/demo/terminal-text.ts';

function screenOn(terminal: Omit<Terminal, 'write'>) {
  let output = '';
  const screen = createScreen({
    ...terminal,
    write(text) {
      output += text;
    },
  });
  return { screen, output: () => output };
}

const colorful = { isTTY: true, columns: 20, hasColors: () => true };

it('prints colours on a terminal, plain text elsewhere, and keeps colours for the picture', () => {
  const text = styled('green', 'passed');
  for (const [terminal, printed] of [
    [colorful, `${text}\n`],
    [{ ...colorful, hasColors: () => false }, 'passed\n'],
    [{}, 'passed\n'],
  ] as const) {
    const { screen, output } = screenOn(terminal);
    screen.print(text);
    expect(output()).toBe(printed);
    expect(screen.pictureLines()).toEqual([text]);
  }
});

it('leaves details and the rows in the middle out of the picture', () => {
  const { screen, output } = screenOn({});
  screen.printDetails('details');
  screen.printRows(['heading', 'a\na2', 'b', 'c', 'd'], { first: 2, last: 1 });
  expect(output()).toBe('details\nheading\na\na2\nb\nc\nd\n');
  expect(screen.pictureLines().map(stripVTControlCharacters)).toEqual(['heading', 'a', 'a2', '  …', 'd']);
});

it('shows few rows whole', () => {
  const { screen } = screenOn({});
  screen.printRows(['a', 'b', 'c'], { first: 2, last: 2 });
  expect(screen.pictureLines()).toEqual(['a', 'b', 'c']);
});

it('replaces an updated line on a terminal, and keeps the last one for the picture', () => {
  const { screen, output } = screenOn(colorful);
  for (const line of ['0 %', '100 %: a long line that would wrap']) screen.update(line);
  screen.endUpdates();
  expect(output()).toBe('\r0 %\r100 %: a long line \n');
  expect(screen.pictureLines()).toEqual(['100 %: a long line that would wrap']);
});

it('prints each new line where nothing can be replaced', () => {
  const { screen, output } = screenOn({});
  for (const line of ['0 %', '0 %', '100 %']) screen.update(line);
  screen.endUpdates();
  expect(output()).toBe('0 %\n100 %\n');
});
