import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './report.ts';

interface NumberOption {
  default: number;
  min?: number;
}

/**
 * Reads options that take a whole number, such as `--mailboxes 800`, switches, and lists of numbers, such as
 * `--processes 1,3`.
 *
 * @throws UsageError
 */
export function readOptions<Numbers extends string, Switches extends string = never, Lists extends string = never>(
  args: string[],
  {
    numbers,
    switches = [],
    lists = {} as Record<Lists, number[]>,
  }: { numbers: Record<Numbers, NumberOption>; switches?: readonly Switches[]; lists?: Record<Lists, number[]> },
): Record<Numbers, number> & Record<Switches, boolean> & Record<Lists, number[]> {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const name of [...Object.keys(numbers), ...Object.keys(lists)]) options[name] = { type: 'string' };
  for (const name of switches) options[name] = { type: 'boolean' };
  const given = parse(args, options);
  const read: Record<string, unknown> = {};
  for (const [name, option] of Object.entries<NumberOption>(numbers)) {
    read[name] = given[name] === undefined ? option.default : wholeNumber(name, given[name], option.min ?? 1);
  }
  for (const [name, fallback] of Object.entries<number[]>(lists)) {
    const texts = given[name] === undefined ? undefined : String(given[name]).split(',');
    read[name] = texts?.map((text) => wholeNumber(name, text, 1)) ?? fallback;
  }
  for (const name of switches) read[name] = given[name] === true;
  return read as Record<Numbers, number> & Record<Switches, boolean> & Record<Lists, number[]>;
}

function parse(args: string[], options: NonNullable<ParseArgsConfig['options']>) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(name: string, value: unknown, min: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(String(value)) || number < min) {
    throw new UsageError(`--${name} takes whole numbers from ${min}.`);
  }
  return number;
}
