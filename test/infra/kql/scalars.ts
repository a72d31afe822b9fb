import type { Part } from './parse.ts';
import { at, fail, inner, itemsOf, textOf } from './parts.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Context {
  now: Date;
  row: Row;
}

/** A length of time. */
export class Timespan {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The value of a scalar expression for one row. Throws for what it does not know, so that nothing is evaluated wrongly. */
export function scalar(part: Part, context: Context): unknown {
  const value = (index: number) => scalar(at(part, index), context);
  switch (part.kind) {
    case 'ParenthesizedExpression':
      return value(0);
    case 'StringLiteralExpression':
      return textOf(part).slice(1, -1).replace(/\\(.)/g, '$1');
    case 'LongLiteralExpression':
    case 'RealLiteralExpression':
      return Number(textOf(part));
    case 'BooleanLiteralExpression':
      return textOf(part) === 'true';
    case 'TimespanLiteralExpression': {
      const [, count, unit = ''] = textOf(part).match(/^(\d+)([a-z]+)$/) ?? [];
      return new Timespan(Number(count) * (unitMs[unit] ?? fail(part, 'unit')));
    }
    case 'NameReference': {
      const name = textOf(part);
      return Object.hasOwn(context.row, name) ? context.row[name] : fail(part, 'no such column');
    }
    case 'PathExpression': {
      const from = value(0);
      const found = from && typeof from === 'object' ? (from as Row)[textOf(at(part, 1))] : undefined;
      return found ?? null;
    }
    case 'UnaryMinusExpression':
      return -Number(value(0));
    case 'AndExpression':
      return value(0) === true && value(1) === true;
    case 'OrExpression':
      return value(0) === true || value(1) === true;
    case 'InExpression':
      return itemsOf(at(part, 1)).some((item) => equal(value(0), scalar(item, context)));
    case 'FunctionCallExpression':
      return call(part, context);
    case 'DivideExpression':
      return divide(value(0), value(1), isReal(part));
    default: {
      const operate = operators[part.kind] ?? fail(part, 'unknown here');
      return operate(value(0), value(1));
    }
  }
}

const text = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : value instanceof Date
      ? value.toISOString()
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);

function comparable(value: unknown): number | string | null {
  if (value instanceof Date) return value.getTime();
  if (value instanceof Timespan) return value.ms;
  if (value === null || value === undefined) return null;
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : text(value);
}

const equal = (a: unknown, b: unknown) => comparable(a) !== null && comparable(a) === comparable(b);

/** Negative, zero or positive. `undefined` if one of them is null: no comparison with null is true. */
export function compare(a: unknown, b: unknown): number | undefined {
  const [left, right] = [comparable(a), comparable(b)];
  if (left === null || right === null) return undefined;
  return left < right ? -1 : left > right ? 1 : 0;
}

const compared = (test: (order: number) => boolean) => (a: unknown, b: unknown) => {
  const order = compare(a, b);
  return order !== undefined && test(order);
};
const lower = (value: unknown) => text(value).toLowerCase();
const numbers = (operate: (a: number, b: number) => number) => (a: unknown, b: unknown) =>
  a === null || b === null ? null : operate(Number(a), Number(b));

/** A sum or difference of numbers, times and lengths of time. */
function add(sign: 1 | -1) {
  return (a: unknown, b: unknown) => {
    if (a instanceof Date && b instanceof Timespan) return new Date(a.getTime() + sign * b.ms);
    if (a instanceof Date && b instanceof Date) return new Timespan(a.getTime() - b.getTime());
    return numbers((x, y) => x + sign * y)(a, b);
  };
}

/** As in Kusto, two whole numbers divide to a whole number. */
function divide(a: unknown, b: unknown, real: boolean): number | null {
  if (a instanceof Timespan && b instanceof Timespan) return a.ms / b.ms;
  if (a === null || b === null || Number(b) === 0) return null;
  const quotient = Number(a) / Number(b);
  return real ? quotient : Math.trunc(quotient);
}

/** Whether a part of the expression is a real number or a ratio of times. Columns are taken for whole numbers. */
function isReal(part: Part): boolean {
  const isWritten = ['RealLiteralExpression', 'TimespanLiteralExpression'].includes(part.kind);
  return isWritten || /^to(real|double)$/.test(textOf(part)) || part.parts.some(isReal);
}

const operators: Record<string, (a: unknown, b: unknown) => unknown> = {
  EqualExpression: equal,
  NotEqualExpression: (a, b) => !equal(a, b),
  GreaterThanExpression: compared((order) => order > 0),
  GreaterThanOrEqualExpression: compared((order) => order >= 0),
  LessThanExpression: compared((order) => order < 0),
  LessThanOrEqualExpression: compared((order) => order <= 0),
  StartsWithExpression: (a, b) => lower(a).startsWith(lower(b)),
  ContainsExpression: (a, b) => lower(a).includes(lower(b)),
  HasExpression: (a, b) => new RegExp(`(^|[^a-z0-9])${RegExp.escape(lower(b))}($|[^a-z0-9])`).test(lower(a)),
  AddExpression: add(1),
  SubtractExpression: add(-1),
  MultiplyExpression: numbers((a, b) => a * b),
};

const toNumber = (value: unknown) => {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value ?? Number.NaN);
  return Number.isNaN(number) ? null : number;
};

function bin(value: unknown, size: unknown): unknown {
  if (value === null) return null;
  if (value instanceof Date && size instanceof Timespan) {
    return new Date(Math.floor(value.getTime() / size.ms) * size.ms);
  }
  return Math.floor(Number(value) / Number(size)) * Number(size);
}

type Func = (args: unknown[], now: Date) => unknown;
const functions: Record<string, Func> = {
  ago: ([span], now) => new Date(now.getTime() - (span as Timespan).ms),
  now: (_, now) => now,
  bin: ([value, size]) => bin(value, size),
  case: (args) => {
    const found = args.findIndex((value, index) => index % 2 === 0 && index < args.length - 1 && value === true);
    return found < 0 ? args.at(-1) : args[found + 1];
  },
  coalesce: (args) => args.find((value) => value !== null && value !== '') ?? null,
  iff: ([condition, yes, no]) => (condition === true ? yes : no),
  isempty: ([value]) => text(value) === '',
  isnotempty: ([value]) => text(value) !== '',
  isnotnull: ([value]) => value !== null,
  isnull: ([value]) => value === null,
  max_of: (args) => args.reduce((a, b) => ((compare(a, b) ?? -1) >= 0 ? a : b)),
  min_of: (args) => args.reduce((a, b) => ((compare(a, b) ?? 1) <= 0 ? a : b)),
  not: ([value]) => value !== true,
  parse_json: ([value]) => parseJson(text(value)),
  round: ([value, digits = 0]) => (value === null ? null : Number(Number(value).toFixed(Number(digits)))),
  strcat: (args) => args.map(text).join(''),
  tobool: ([value]) => (typeof value === 'boolean' ? value : text(value) === 'true' ? true : null),
  todatetime: ([value]) => (text(value) === '' ? null : new Date(text(value))),
  todouble: ([value]) => toNumber(value),
  toint: ([value]) => toWhole(toNumber(value)),
  tolong: ([value]) => toWhole(toNumber(value)),
  toreal: ([value]) => toNumber(value),
  tostring: ([value]) => text(value),
};

function toWhole(value: number | null): number | null {
  return value === null ? null : Math.trunc(value);
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function call(part: Part, context: Context): unknown {
  const [name, args] = inner(part);
  const known = functions[name ? textOf(name) : ''] ?? fail(part, 'the function is unknown here');
  return known(
    itemsOf(args).map((arg) => scalar(arg, context)),
    context.now,
  );
}
