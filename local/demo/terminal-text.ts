import { styleText } from 'node:util';

/** What the demo prints fits a terminal of this width. */
export const TERMINAL_WIDTH = 110;

type Style = Parameters<typeof styleText>[0];

/** The text with terminal codes for its style. Pad it first: the codes count as characters. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

/** Breaks a text between words into lines of at most `width` characters. A longer word gets a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').filter(Boolean)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** Like `wrap`, with the same indent before each line. */
export function indented(text: string, indent: string): string {
  return wrap(text, TERMINAL_WIDTH - indent.length)
    .map((line) => indent + line)
    .join('\n');
}

/** Like `wrap`, but at most `linesMax` lines. A text that needs more ends in "…". */
export function wrapShort(text: string, width: number, linesMax: number): string[] {
  const lines = wrap(text, width);
  if (lines.length <= linesMax) return lines;
  const kept = wrap(lines.slice(0, linesMax).join(' '), width);
  const last = kept.pop() ?? '';
  const words = last.split(' ');
  while (words.length > 1 && words.join(' ').length + 2 > width) words.pop();
  return [...kept, `${words.join(' ').replace(/[,;:]$/, '')} …`];
}
