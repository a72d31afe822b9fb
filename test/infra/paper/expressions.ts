import type { Node } from 'web-tree-sitter';
import type { Func } from './functions.ts';

export interface Scope {
  /** For messages. */
  path: string;
  /** The value of a declared name. */
  valueOf(name: string): unknown;
  functions: Record<string, Func>;
}

/** A value of an object of Azure's or ours, by name. */
type Fields = Record<string, unknown>;

/** The value of a Bicep expression. Throws for what it does not know, and for a property that is not there. */
export function evaluate(node: Node, scope: Scope): unknown {
  const part = (field: string) => required(node.childForFieldName(field), node, scope);
  switch (node.type) {
    case 'string':
      return stringValue(node, scope);
    case 'number':
      return Number(node.text);
    case 'boolean':
      return node.text === 'true';
    case 'null':
      return null;
    case 'array':
      return parts(node).map((item) => evaluate(item, scope));
    case 'object':
      return objectValue(node, scope);
    case 'parenthesized_expression':
      return evaluate(only(node, scope), scope);
    case 'identifier':
      return scope.valueOf(node.text);
    case 'ternary_expression':
      return evaluate(part(evaluate(part('condition'), scope) ? 'consequence' : 'alternative'), scope);
    case 'unary_expression': {
      const value = evaluate(only(node, scope), scope);
      return node.text.startsWith('!') ? !value : -Number(value);
    }
    case 'binary_expression':
      return binaryValue(part('operator').text, part('left'), part('right'), scope);
    case 'call_expression':
      return callValue(node, scope);
    case 'lambda_expression':
      return lambdaValue(node, scope);
    case 'for_statement':
      return loopItems(node, scope).map((inner) => evaluate(inner.body, inner.scope));
    case 'member_expression':
      return memberValue(node, scope);
    case 'subscript_expression':
      return fieldOf(evaluate(part('object'), scope), String(evaluate(part('index'), scope)), node, scope);
    default:
      return fail(node, scope, `${node.type} is unknown here`);
  }
}

/** The body of a loop with the scope of each of its items. */
export function loopItems(loop: Node, scope: Scope): { body: Node; scope: Scope }[] {
  const names = (loop.namedChildren.find(({ type }) => type === 'for_loop_parameters')?.namedChildren ?? [
    required(loop.childForFieldName('initializer'), loop, scope),
  ]) as Node[];
  const [list] = parts(loop).filter(
    (one) => one.type !== 'for_loop_parameters' && one.id !== loop.childForFieldName('initializer')?.id,
  );
  const body = required(loop.childForFieldName('body'), loop, scope);
  const items = evaluate(required(list, loop, scope), scope) as unknown[];
  return items.map((item, index) => ({
    body,
    scope: within(scope, { [names[0]?.text ?? '']: item, [names[1]?.text ?? '']: index }),
  }));
}

export function parts(node: Node): Node[] {
  return node.namedChildren.filter((child) => child.type !== 'comment' && child.type !== 'diagnostic_comment');
}

export function fail(node: Node, scope: Scope, why: string): never {
  throw new Error(`${scope.path}:${node.startPosition.row + 1}: ${why}: ${node.text.slice(0, 80)}`);
}

function within(scope: Scope, names: Fields): Scope {
  return { ...scope, valueOf: (name) => (Object.hasOwn(names, name) ? names[name] : scope.valueOf(name)) };
}

function stringValue(node: Node, scope: Scope): string {
  return node.namedChildren
    .map((child) => {
      if (child.type === 'interpolation') return String(evaluate(only(child, scope), scope));
      if (child.type !== 'escape_sequence') return child.text;
      return { n: '\n', t: '\t', r: '\r' }[child.text.slice(1)] ?? child.text.slice(1);
    })
    .join('');
}

function objectValue(node: Node, scope: Scope): Fields {
  const properties = parts(node).filter(({ type }) => type === 'object_property');
  return Object.fromEntries(
    properties.map((property) => {
      const [key, value] = parts(property);
      if (!key || !value) return fail(property, scope, 'no property');
      return [key.type === 'string' ? stringValue(key, scope) : key.text, evaluate(value, scope)];
    }),
  );
}

function binaryValue(operator: string, left: Node, right: Node, scope: Scope): unknown {
  const a = evaluate(left, scope);
  if (operator === '&&') return a && evaluate(right, scope);
  if (operator === '||') return a || evaluate(right, scope);
  if (operator === '??') return a ?? evaluate(right, scope);
  const b = evaluate(right, scope);
  const [m, n] = [Number(a), Number(b)];
  const results: Record<string, unknown> = {
    '==': a === b,
    '!=': a !== b,
    '>': m > n,
    '>=': m >= n,
    '<': m < n,
    '<=': m <= n,
    '+': m + n,
    '-': m - n,
    '*': m * n,
    '/': Math.trunc(m / n),
    '%': m % n,
  };
  return operator in results ? results[operator] : fail(left, scope, `the operator ${operator} is unknown here`);
}

function callValue(node: Node, scope: Scope): unknown {
  const name = node.childForFieldName('function')?.text ?? '';
  const call = scope.functions[name];
  if (!call) return fail(node, scope, `the function ${name} is unknown here`);
  const args = node.childForFieldName('arguments');
  return (call as (...values: unknown[]) => unknown)(...(args ? parts(args).map((arg) => evaluate(arg, scope)) : []));
}

function lambdaValue(node: Node, scope: Scope): (...values: unknown[]) => unknown {
  const [parameters, body] = parts(node);
  const names = parameters?.type === 'identifier' ? [parameters] : parameters ? parts(parameters) : [];
  return (...values) =>
    evaluate(
      required(body, node, scope),
      within(scope, Object.fromEntries(names.map(({ text }, index) => [text, values[index]]))),
    );
}

function memberValue(node: Node, scope: Scope): unknown {
  const object = required(node.childForFieldName('object'), node, scope);
  const property = required(node.childForFieldName('property'), node, scope);
  // The grammar reads `a == b.c` as `(a == b).c`. Brackets make it read what Bicep reads.
  if (['binary_expression', 'lambda_expression', 'unary_expression'].includes(object.type)) {
    return fail(node, scope, 'put the inner part into brackets');
  }
  return fieldOf(evaluate(object, scope), property.text, node, scope);
}

function fieldOf(value: unknown, name: string, node: Node, scope: Scope): unknown {
  const found = (value as Fields | null | undefined)?.[name];
  return found === undefined ? fail(node, scope, `there is no ${name}`) : found;
}

function only(node: Node, scope: Scope): Node {
  return required(parts(node)[0], node, scope);
}

function required(node: Node | null | undefined, around: Node, scope: Scope): Node {
  return node ?? fail(around, scope, 'a part is missing');
}
