import { aggregate } from './aggregates.ts';
import { type Part, parseQuery } from './parse.ts';
import { at, childOf, fail, inner, itemsOf, textOf } from './parts.ts';
import { compare, type Row, scalar } from './scalars.ts';

export type { Row } from './scalars.ts';

interface Input {
  tables: Record<string, readonly Row[]>;
  now: Date;
}

/**
 * Runs a query of the Kusto Query Language over rows. Microsoft's parser reads and checks it; this evaluates the operators
 * and functions that the queries of `infra/` use, and throws for any other.
 */
export function runQuery(text: string, input: Input): Row[] {
  const { root, faults } = parseQuery(text);
  if (faults.length > 0) throw new Error(`${faults.join(' ')}\n${text}`);
  const tables = { ...input.tables };
  let result: readonly Row[] = [];
  for (const statement of itemsOf(root)) {
    if (statement.kind === 'LetStatement') {
      tables[textOf(at(statement, 0))] = rowsOf(at(statement, 1), { ...input, tables });
    } else {
      result = rowsOf(statement, { ...input, tables });
    }
  }
  return [...result];
}

function rowsOf(part: Part, input: Input): readonly Row[] {
  switch (part.kind) {
    case 'ParenthesizedExpression':
      return rowsOf(at(part, 0), input);
    case 'NameReference':
      return input.tables[textOf(part)] ?? fail(part, 'no such table');
    case 'PipeExpression': {
      const operate = tabular[at(part, 1).kind] ?? fail(at(part, 1), 'the operator is unknown here');
      return operate(at(part, 1), rowsOf(at(part, 0), input), input);
    }
    default:
      return fail(part, 'unknown here');
  }
}

type Operate = (part: Part, rows: readonly Row[], input: Input) => readonly Row[];

const tabular: Record<string, Operate> = {
  FilterOperator: (part, rows, { now }) => rows.filter((row) => scalar(at(part, 0), { row, now }) === true),
  ExtendOperator: (part, rows, input) => rows.map((row) => columns(itemsOf(part), row, input, row)),
  ProjectOperator: (part, rows, input) => rows.map((row) => columns(itemsOf(part), row, input)),
  ProjectAwayOperator: (part, rows) => {
    const away = itemsOf(part).map(textOf);
    return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !away.includes(name))));
  },
  DistinctOperator: (part, rows, input) => {
    const all = rows.map((row) => columns(itemsOf(part), row, input));
    return [...new Map(all.map((row) => [JSON.stringify(row), row])).values()];
  },
  TakeOperator: (part, rows, { now }) => rows.slice(0, Number(scalar(at(part, 0), { row: {}, now }))),
  SortOperator: (part, rows, input) => sorted(itemsOf(part), rows, input),
  TopOperator: (part, rows, input) => {
    const count = Number(scalar(at(part, 0), { row: {}, now: input.now }));
    return sorted([at(part, 1)], rows, input).slice(0, count);
  },
  SummarizeOperator: summarize,
  JoinOperator: join,
  UnionOperator: (part, rows, input) => [...rows, ...itemsOf(part).flatMap((other) => rowsOf(other, input))],
  RenderOperator: (_, rows) => rows,
};

/** The name of a column in `project`, `extend` or `by`, and its expression. */
function named(part: Part): [string, Part] {
  if (part.kind === 'SimpleNamedExpression') return [textOf(at(part, 0)), at(part, 1)];
  if (part.kind === 'NameReference') return [textOf(part), part];
  // Kusto calls `bin(TimeGenerated, 5m)` TimeGenerated. Other names that it makes up are hard to read: write one.
  const [called, list] = inner(part);
  const [first] = itemsOf(list);
  if (called && textOf(called) === 'bin' && first?.kind === 'NameReference') return [textOf(first), part];
  return fail(part, 'give the column a name');
}

function columns(items: Part[], row: Row, { now }: Input, start: Row = {}): Row {
  const made: Record<string, unknown> = { ...start };
  for (const item of items) {
    const [name, expression] = named(item);
    // A column may use those before it.
    made[name] = scalar(expression, { row: { ...row, ...made }, now });
  }
  return made;
}

function summarize(part: Part, rows: readonly Row[], input: Input): Row[] {
  const by = itemsOf(childOf(part, 'SummarizeByClause'));
  const groups = new Map<string, { key: Row; rows: Row[] }>();
  for (const row of rows) {
    const key = columns(by, row, input);
    const group = groups.get(JSON.stringify(key)) ?? { key, rows: [] };
    groups.set(JSON.stringify(key), group);
    group.rows.push(row);
  }
  // Without `by` there is one group, also if there are no rows.
  if (by.length === 0 && groups.size === 0) groups.set('', { key: {}, rows: [] });
  return [...groups.values()].map((group) => {
    const made = itemsOf(part).map((item) => {
      const [name, expression] =
        item.kind === 'FunctionCallExpression' && textOf(at(item, 0)) === 'arg_max' ? ['', item] : named(item);
      return aggregate(expression, name, group.rows, input.now);
    });
    return Object.assign({}, ...made, group.key);
  });
}

function sorted(order: Part[], rows: readonly Row[], { now }: Input): Row[] {
  const keys = order.map((item) => {
    const isOrdered = item.kind === 'OrderedExpression';
    const isAscending = isOrdered && /\basc\b/.test(textOf(item));
    return { expression: isOrdered ? at(item, 0) : item, direction: isAscending ? 1 : -1 };
  });
  return [...rows].sort((a, b) => {
    for (const { expression, direction } of keys) {
      const found = compare(scalar(expression, { row: a, now }), scalar(expression, { row: b, now })) ?? 0;
      if (found !== 0) return found * direction;
    }
    return 0;
  });
}

function join(part: Part, left: readonly Row[], input: Input): Row[] {
  const kind = itemsOf(part)
    .map(textOf)
    .join()
    .match(/kind ?= ?(\w+)/)?.[1];
  if (kind !== 'leftouter' && kind !== 'inner') return fail(part, 'the kind of join is unknown here');
  const right = rowsOf(childOf(part, 'ParenthesizedExpression') ?? fail(part, 'no table'), input);
  const on = itemsOf(childOf(part, 'JoinOnClause')).map(textOf);
  const key = (row: Row) => JSON.stringify(on.map((name) => row[name]));
  return left.flatMap((row) => {
    const matches: Row[] = right.filter((other) => key(other) === key(row));
    const found = matches.length > 0 || kind === 'inner' ? matches : [{}];
    return found.map((other) => ({ ...other, ...row }));
  });
}
