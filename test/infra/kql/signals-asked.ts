import { signals } from '../../../shared/kernel/signals.ts';
import { isSignal } from '../../support/signal-lines.ts';
import { type Part, parseQuery } from './parse.ts';
import { inner, itemsOf, textOf } from './parts.ts';

/** The signals that a query asks for: those whose lines begin as it says. */
export function signalsAsked(query: string): string[] {
  const prefixes = [...query.matchAll(/startswith '\{"event":"(\w+)("?)'/g)];
  return prefixes.flatMap(([, prefix = '', end]) => {
    const names = Object.keys(signals).filter((name) => (end ? name === prefix : name.startsWith(prefix)));
    return names.length > 0 ? names : [prefix];
  });
}

/** How the value of a field may be read. */
const readers: Record<string, RegExp> = {
  text: /^(tostring|todatetime)$/,
  number: /^(toint|tolong|todouble|toreal)$/,
  flag: /^tobool$/,
};

/** What a query asks of the lines that the table of signals does not promise. Empty if it promises everything. */
export function faultsOfQuery(query: string): string[] {
  const { root, faults } = parseQuery(query);
  const asked = signalsAsked(query);
  const unknown = asked.filter((name) => !isSignal(name)).map((name) => `there is no signal ${name}`);
  const wrong = fieldsRead(root).flatMap(({ field, reader }) => {
    // Every line has it.
    if (field === 'event') return [];
    const types = asked.filter(isSignal).map((name) => typeOf(name, field));
    return types.some((type) => type && readers[type]?.test(reader)) ? [] : [`${reader}(line.${field}): ${types}`];
  });
  return [...faults, ...unknown, ...wrong];
}

function typeOf(name: keyof typeof signals, field: string): string | undefined {
  const shape: { fields: Record<string, string>; bound?: Record<string, string> } = signals[name];
  return (shape.fields[field] ?? shape.bound?.[field])?.replace('?', '');
}

/** Every `line.field` with the function that reads it. */
function fieldsRead(part: Part, reader = ''): { field: string; reader: string }[] {
  const [first, second] = inner(part);
  if (part.kind === 'PathExpression' && first && second && textOf(first) === 'line') {
    return [{ field: textOf(second), reader }];
  }
  if (part.kind !== 'FunctionCallExpression' || !first) return part.parts.flatMap((one) => fieldsRead(one));
  return itemsOf(second).flatMap((one) => fieldsRead(one, textOf(first)));
}
