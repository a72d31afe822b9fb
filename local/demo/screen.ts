import { stripVTControlCharacters } from 'node:util';
import { styled } from './terminal-text.ts';

/** Where the demo prints. It keeps the essential lines for the picture. */
export interface Screen {
  print(text: string): void;
  /** Prints rows of one or more lines each. The picture leaves out the rows in the middle. */
  printRows(rows: readonly string[], inPicture: { first: number; last: number }): void;
  /** Prints text that the picture leaves out. */
  printDetails(text: string): void;
  /** Shows a line that the next update replaces. A stream that is no terminal gets each new line. */
  update(line: string): void;
  /** Keeps the line of the last update. */
  endUpdates(): void;
  /** The lines for the picture, with their terminal codes. */
  pictureLines(): string[];
}

/** Colours are dropped where the stream is no terminal, or where the user has set `NO_COLOR`. */
export function createScreen(stream: NodeJS.WriteStream): Screen {
  const kept: string[] = [];
  const hasColors = stream.isTTY && stream.hasColors();
  let updated = '';
  const keep = (text: string) => kept.push(...text.split('\n'));
  const write = (text: string) => stream.write(hasColors ? text : stripVTControlCharacters(text));

  return {
    print(text) {
      write(`${text}\n`);
      keep(text);
    },
    printRows(rows, { first, last }) {
      for (const row of rows) write(`${row}\n`);
      const omission = rows.length > first + last ? [styled('gray', '  …')] : [];
      for (const row of [...rows.slice(0, first), ...omission, ...rows.slice(Math.max(first, rows.length - last))]) {
        keep(row);
      }
    },
    printDetails: (text) => write(`${text}\n`),
    update(line) {
      // A line that wraps could not be replaced.
      const shown = stream.isTTY ? line.slice(0, stream.columns - 1) : line;
      if (stream.isTTY) stream.write(`\r${shown.padEnd(updated.length)}`);
      else if (shown !== updated) write(`${shown}\n`);
      updated = shown;
    },
    endUpdates() {
      if (stream.isTTY) stream.write('\n');
      kept.push(updated);
      updated = '';
    },
    pictureLines: () => [...kept],
  };
}
