import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Node } from 'web-tree-sitter';
import {
  at,
  type BicepFile,
  bicepPaths,
  type Declaration,
  descendants,
  keysOf,
  modulePath,
  parseBicep,
  readBicep,
} from './bicep.ts';
import { deployed } from './paper/deployed.ts';

const files = bicepPaths.map(readBicep);
const main = readBicep('infra/main.bicep');

/** The names that the file reads, except for names of functions and properties. */
function namesRead(file: BicepFile): Set<string> {
  const names = new Set<string>();
  for (const node of descendants(file.root)) {
    if (node.type !== 'identifier' || !node.parent) continue;
    const isFirst = node.parent.namedChildren[0]?.id === node.id;
    const declares = node.parent.type.endsWith('_declaration') && isFirst;
    const isKey = node.parent.type === 'object_property' && isFirst;
    const isCalled = node.parent.type === 'call_expression' && isFirst;
    if (!declares && !isKey && !isCalled) names.add(node.text);
  }
  return names;
}

function namesDeclared(file: BicepFile): Set<string> {
  const nodes = descendants(file.root);
  return new Set([
    ...[...file.params, ...file.variables, ...file.resources, ...file.modules].map(({ name }) => name),
    ...nodes.filter(({ type }) => type === 'loop_variable' || type === 'loop_enumerator').map(({ text }) => text),
    ...nodes.filter(({ type }) => type === 'lambda_expression').flatMap((lambda) => parametersOf(lambda)),
    ...nodes.filter(({ type }) => type === 'for_statement').map((loop) => loop.namedChildren[0]?.text ?? ''),
  ]);
}

function parametersOf(lambda: Node): string[] {
  const [parameters] = lambda.namedChildren;
  return parameters
    ? descendants(parameters)
        .filter(({ type }) => type === 'identifier')
        .map(({ text }) => text)
    : [];
}

test('finds the Bicep files', () => {
  expect(bicepPaths).toContain('infra/main.bicep');
  expect(bicepPaths).toContain('infra/app/rbac.bicep');
});

describe('the checker itself', () => {
  test.each([
    ['a brace that never closes', "resource a 'T/x@2020-01-01' = {\n  name: 'a'\n"],
    ['a comma for an equals sign', 'param a, string'],
    ['a resource without a body', "resource a 'T/x@2020-01-01' ="],
  ])('rejects %s', (_, text) => {
    expect(parseBicep(text).faults).not.toEqual([]);
  });

  test('finds a name that is not declared', () => {
    const file = parseBicep('param a string\noutput o string = a == b');
    expect([...namesRead(file)].filter((name) => !namesDeclared(file).has(name))).toEqual(['b']);
  });
});

describe.each(files)('$path', (file) => {
  test('has no syntax error', () => {
    expect(file.faults).toEqual([]);
    expect(file.root.hasError).toBe(false);
  });

  test('uses only names that it declares', () => {
    const declared = namesDeclared(file);
    expect([...namesRead(file)].filter((name) => !declared.has(name))).toEqual([]);
  });

  test('uses every parameter, variable and existing resource that it declares', () => {
    const read = namesRead(file);
    const declarations = [...file.params, ...file.variables, ...file.resources.filter(({ existing }) => existing)];
    expect(declarations.map(({ name }) => name).filter((name) => !read.has(name))).toEqual([]);
  });

  test('names its modules by paths of existing files', () => {
    expect(file.modules.map((module) => modulePath(file, module)).filter((path) => !existsSync(path))).toEqual([]);
  });

  test.each(file.modules)('passes module $name exactly its parameters', (module: Declaration) => {
    const { params } = readBicep(modulePath(file, module));
    const given = keysOf(at(module.value, 'params'));
    expect(given.filter((name) => !params.some((param) => param.name === name))).toEqual([]);
    expect(params.filter(({ name, value }) => value === undefined && !given.includes(name))).toEqual([]);
  });

  test('uses only outputs that its modules have', () => {
    const outputs = new Map(
      file.modules.map((module) => [module.name, readBicep(modulePath(file, module)).outputs.map(({ name }) => name)]),
    );
    for (const [, module = '', output = ''] of file.text.matchAll(/\b(\w+)!?\.outputs\.(\w+)/g)) {
      expect(outputs.get(module), `${module}.outputs.${output}`).toContain(output);
    }
  });

  test('names each API version by its date', () => {
    for (const { type, apiVersion } of file.resources) {
      expect(type).toMatch(/^Microsoft\.\w+\/\w+/);
      expect(apiVersion).toMatch(/^\d{4}-\d{2}-\d{2}(-preview)?$/);
    }
  });
});

test('main.bicep deploys every file', () => {
  const reached = main.modules.map((module) => modulePath(main, module));
  expect([...new Set([main.path, ...reached])].sort()).toEqual(bicepPaths);
});

test('main.parameters.json sets every parameter without a default, and no unknown one', () => {
  const given = Object.keys(JSON.parse(readFileSync('infra/main.parameters.json', 'utf8')).parameters);
  const names = main.params.map(({ name }) => name);
  expect(given.filter((name) => !names.includes(name))).toEqual([]);
  expect(main.params.filter(({ name, value }) => value === undefined && !given.includes(name))).toEqual([]);
});

test('azd finds the resource group and the app by their tags, and no other resource', () => {
  const { resources } = deployed({ vnetEnabled: true });
  const tagged = (tag: string) => resources.filter(({ body }) => tag in ((body.tags as object | undefined) ?? {}));
  const services = tagged('azd-service-name').map(({ type, body }) => [type, body.tags]);
  expect(services).toEqual([['Microsoft.Web/sites', { 'azd-env-name': 'prod', 'azd-service-name': 'api' }]]);
  expect(tagged('azd-env-name').map(({ type }) => type)).toContain('Microsoft.Resources/resourceGroups');
  expect(readFileSync('azure.yaml', 'utf8')).toMatch(/^services:\n {2}api:$/m);
});
