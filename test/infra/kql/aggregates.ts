import type { Part } from './parse.ts';
import { fail, inner, itemsOf, textOf } from './parts.ts';
import { compare, type Row, scalar } from './scalars.ts';

/** The columns that an aggregate makes of the rows of one group. */
export function aggregate(part: Part, name: string, rows: readonly Row[], now: Date): Row {
  const [called, list] = inner(part);
  const args = itemsOf(list);
  const column = (index: number) => {
    const arg = args[index] ?? fail(part, `no argument ${index}`);
    return rows.map((row) => scalar(arg, { row, now }));
  };
  const known = (index: number) => column(index).filter((value) => value !== null);
  const total = (values: unknown[]) => values.reduce((sum: number, value) => sum + Number(value), 0);
  const where = (index: number) => {
    const holds = column(index);
    return rows.filter((_, i) => holds[i] === true);
  };
  switch (called && textOf(called)) {
    case 'count':
      return { [name]: rows.length };
    case 'countif':
      return { [name]: where(0).length };
    case 'sum':
      return { [name]: total(known(0)) };
    case 'sumif': {
      const arg = args[0] ?? fail(part, 'no argument');
      const values = where(1).map((row) => scalar(arg, { row, now }));
      return { [name]: total(values.filter((value) => value !== null)) };
    }
    case 'avg':
      return { [name]: known(0).length === 0 ? null : total(known(0)) / known(0).length };
    case 'dcount':
      return { [name]: new Set(known(0).map(String)).size };
    case 'max':
      return { [name]: extreme(known(0), 1) };
    case 'min':
      return { [name]: extreme(known(0), -1) };
    case 'percentile': {
      const sorted = known(0).sort((a, b) => compare(a, b) ?? 0);
      return { [name]: sorted[Math.ceil((Number(column(1)[0]) / 100) * sorted.length) - 1] ?? null };
    }
    case 'arg_max': {
      const by = column(0);
      const top = rows[by.indexOf(extreme(known(0), 1))];
      if (!top) return {};
      if (args[1]?.kind === 'StarExpression') return top;
      return Object.fromEntries(args.map((arg) => [textOf(arg), scalar(arg, { row: top, now })]));
    }
    default:
      return fail(part, 'the aggregate is unknown here');
  }
}

function extreme(values: unknown[], direction: 1 | -1): unknown {
  return values.reduce((a, b) => ((compare(b, a) ?? 0) * direction > 0 ? b : a), values[0] ?? null);
}
