import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Language, type Node, Parser } from 'web-tree-sitter';

/** The value of a Bicep expression if it is a literal, or its source. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value } | Expression;

/** An expression that is not a literal, as it is written. */
export class Expression {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

export interface Declaration {
  name: string;
  /** Such as `Microsoft.Storage/storageAccounts`, or the path of a module. Empty for other declarations. */
  type: string;
  /** The part of the type after `@`. */
  apiVersion: string;
  /** The resource is not created, only referenced. */
  existing: boolean;
  /** The default of a parameter, the value of a variable, or the body of a resource. */
  value: Value | undefined;
  node: Node;
}

export interface BicepFile {
  path: string;
  text: string;
  root: Node;
  /** Syntax errors, each with its line and text. */
  faults: string[];
  params: Declaration[];
  variables: Declaration[];
  resources: Declaration[];
  modules: Declaration[];
  outputs: Declaration[];
}

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load('node_modules/tree-sitter-bicep/tree-sitter-bicep.wasm'));

export const bicepPaths = globSync('infra/**/*.bicep').sort();

const alreadyRead = new Map<string, BicepFile>();

export function readBicep(path: string): BicepFile {
  const file = alreadyRead.get(path) ?? parseBicep(readFileSync(path, 'utf8'), path);
  alreadyRead.set(path, file);
  return file;
}

export function parseBicep(text: string, path = ''): BicepFile {
  const tree = parser.parse(text);
  if (!tree) throw new Error(`${path}: the parser failed`);
  const root = tree.rootNode;
  const declared = (type: string) => root.namedChildren.filter((node) => node.type === type).map(toDeclaration);
  return {
    path,
    text,
    root,
    faults: descendants(root)
      .filter((node) => node.isError || node.isMissing)
      .map((node) => `${path}:${node.startPosition.row + 1}: ${node.text.split('\n', 1)[0]}`),
    params: declared('parameter_declaration'),
    variables: declared('variable_declaration'),
    resources: declared('resource_declaration'),
    modules: declared('module_declaration'),
    outputs: declared('output_declaration'),
  };
}

export function descendants(node: Node): Node[] {
  return [node, ...node.children.flatMap(descendants)];
}

/** The file that a module statement of `file` names. */
export function modulePath(file: BicepFile, module: Declaration): string {
  return join(dirname(file.path), module.type);
}

/** The property at this path. `undefined` if a step is missing or not a literal object. */
export function at(value: Value | undefined, ...keys: string[]): Value | undefined {
  let here = value;
  for (const key of keys) {
    if (here === null || typeof here !== 'object' || Array.isArray(here) || here instanceof Expression)
      return undefined;
    here = here[key];
  }
  return here;
}

/** The keys of a literal object. */
export function keysOf(value: Value | undefined): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Expression) {
    throw new Error('not an object');
  }
  return Object.keys(value);
}

function toDeclaration(node: Node): Declaration {
  const [name, ...rest] = node.namedChildren;
  if (!name) throw new Error(`no name: ${node.text}`);
  const hasType = ['resource_declaration', 'module_declaration'].includes(node.type);
  const [type = '', apiVersion = ''] = hasType ? unquote(rest[0]?.text ?? '').split('@') : [];
  const assigned = node.children.findIndex((child) => child.type === '=');
  const last = assigned < 0 ? undefined : node.children.slice(assigned + 1).findLast((child) => child.isNamed);
  return {
    name: name.text,
    type,
    apiVersion,
    existing: node.children.some((child) => child.type === 'existing'),
    value: last && toValue(body(last)),
    node,
  };
}

/** The object inside `if (…)` and `[for …]`. */
function body(node: Node): Node {
  if (node.type !== 'if_statement' && node.type !== 'for_statement') return node;
  const inner = node.namedChildren.findLast((child) => child.type === 'object' || child.type === 'if_statement');
  return inner ? body(inner) : node;
}

function toValue(node: Node): Value {
  switch (node.type) {
    case 'string':
      return unquote(node.text);
    case 'number':
      return Number(node.text);
    case 'boolean':
      return node.text === 'true';
    case 'null':
      return null;
    case 'array':
      return node.namedChildren.filter((child) => child.type !== 'comment').map(toValue);
    case 'object':
      return Object.fromEntries(
        node.namedChildren
          .filter((child) => child.type === 'object_property')
          .map((property) => {
            const [key, value] = property.namedChildren;
            if (!key || !value) throw new Error(`no property: ${property.text}`);
            return [key.type === 'string' ? unquote(key.text) : key.text, toValue(value)];
          }),
      );
    default:
      return new Expression(node.text);
  }
}

function unquote(text: string): string {
  return text.replace(/^'|'$/g, '');
}
