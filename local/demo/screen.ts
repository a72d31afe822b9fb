import { stripVTControlCharacters } from 'node:util';
import { styled } from './terminal-text.ts';

/** The part of a terminal that the screen uses. */
export interface Terminal {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  hasColors?(): boolean;
}

/** Where the demo prints. It keeps the essential lines for the picture. */
export interface Screen {
  print(text: string): void;
  /** Prints rows of one or more lines each. The picture leaves out the rows in the middle. */
  printRows(rows: readonly string[], inPicture: { first: number; last: number }): void;
  /** Prints text that the picture leaves out. */
  printDetails(text: string): void;
  /** Shows a line that the next update replaces. If the output is not a terminal, it prints each new line. */
  update(line: string): void;
  /** Keeps the line of the last update. */
  endUpdates(): void;
  /** The lines for the picture, with their terminal codes. */
  pictureLines(): string[];
}

/** Prints without colors if the output is not a terminal or if `NO_COLOR` is set. */
export function createScreen(terminal: Terminal): Screen {
  const kept: string[] = [];
  const { isTTY = false } = terminal;
  const hasColors = isTTY && terminal.hasColors?.() === true;
  let shown = '';
  let lastUpdate = '';
  const keep = (text: string) => kept.push(...text.split('\n'));
  const write = (text: string) => terminal.write(hasColors ? text : stripVTControlCharacters(text));

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
      const clipped = isTTY ? line.slice(0, (terminal.columns ?? 80) - 1) : line;
      if (isTTY) terminal.write(`\r${clipped.padEnd(shown.length)}`);
      else if (clipped !== shown) write(`${clipped}\n`);
      shown = clipped;
      lastUpdate = line;
    },
    endUpdates() {
      if (isTTY) terminal.write('\n');
      keep(lastUpdate);
      shown = '';
    },
    pictureLines: () => [...kept],
  };
}
