import type { Node } from 'web-tree-sitter';
import { type BicepFile, type Declaration, modulePath, readBicep } from '../bicep.ts';
import { evaluate, fail, loopItems, parts, type Scope } from './expressions.ts';
import { functionsOf, SUBSCRIPTION } from './functions.ts';
import { stateOf } from './state.ts';

export interface Resource {
  /** `infra/app/api.bicep app`: the file and the name in it. */
  declaredAs: string;
  type: string;
  apiVersion: string;
  id: string;
  name: string;
  /** The resource that it extends, such as the one that a role is about. */
  scope: string | undefined;
  body: Record<string, unknown>;
}

export interface Deployment {
  resources: Resource[];
  outputs: Record<string, unknown>;
  /** Ids of the resources that are read or extended, but declared elsewhere. */
  references: string[];
  /** The modules that each module waits for although it reads nothing of them. */
  dependsOn: Record<string, string[]>;
}

type Fields = Record<string, unknown>;

/**
 * Evaluates a Bicep file as a deployment would, without Azure: conditions, loops, modules and expressions. What only Azure
 * knows, such as the address of an account, follows from the resource's name.
 */
export function deployOnPaper(path: string, params: Fields): Deployment {
  const deployment: Deployment = { resources: [], outputs: {}, references: [], dependsOn: {} };
  deployment.outputs = deployFile(readBicep(path), params, '', deployment);
  return deployment;
}

function deployFile(file: BicepFile, params: Fields, groupId: string, deployment: Deployment): Fields {
  const values = new Map<string, unknown>();
  const symbols = new Map<string, () => unknown>();
  const scope: Scope = {
    path: file.path,
    functions: functionsOf(file.path, groupId),
    valueOf(name) {
      const compute = symbols.get(name);
      if (!compute) throw new Error(`${file.path}: ${name} is not declared`);
      if (!values.has(name)) values.set(name, compute());
      return values.get(name);
    },
  };
  for (const { name, node } of file.params) {
    const fallback = assigned(node);
    symbols.set(name, () => {
      if (Object.hasOwn(params, name)) return params[name];
      return fallback ? evaluate(fallback, scope) : fail(node, scope, `no value for ${name}`);
    });
  }
  for (const { name, node } of file.variables) symbols.set(name, () => evaluate(expectAssigned(node, scope), scope));
  for (const one of file.resources) symbols.set(one.name, () => deployResource(one, scope, groupId, deployment));
  for (const one of file.modules) symbols.set(one.name, () => deployModule(file, one, scope, deployment));
  for (const { name } of [...file.resources, ...file.modules]) scope.valueOf(name);
  return Object.fromEntries(file.outputs.map(({ name, node }) => [name, evaluate(expectAssigned(node, scope), scope)]));
}

function deployModule(file: BicepFile, module: Declaration, scope: Scope, deployment: Deployment): unknown {
  const [instance] = instancesOf(module, scope);
  if (!instance) return undefined;
  const given = fieldsOf(instance.body, instance.scope, ['name', 'params']);
  const waitsFor = propertyOf(instance.body, 'dependsOn');
  if (waitsFor) deployment.dependsOn[module.name] = parts(waitsFor).map(({ text }) => text);
  const within = propertyOf(instance.body, 'scope');
  const group = within ? (evaluate(within, scope) as Fields) : {};
  const target = readBicep(modulePath(file, module));
  const unknown = Object.keys(given.params as Fields).filter((name) => !target.params.some((one) => one.name === name));
  if (unknown.length > 0) fail(module.node, scope, `${target.path} has no ${unknown.join(', ')}`);
  return { name: given.name, outputs: deployFile(target, given.params as Fields, String(group.id), deployment) };
}

function deployResource(resource: Declaration, scope: Scope, groupId: string, deployment: Deployment): unknown {
  const deployed = instancesOf(resource, scope).map((instance) => {
    const body = fieldsOf(instance.body, instance.scope);
    const parent = propertyOf(instance.body, 'parent');
    const extended = propertyOf(instance.body, 'scope');
    const fieldsAt = (node: Node | undefined) => node && (evaluate(node, instance.scope) as Fields);
    const scopeId = fieldsAt(extended)?.id as string | undefined;
    const name = String(body.name);
    const id = idOf(resource.type, name, fieldsAt(parent)?.id as string | undefined, scopeId, groupId);
    if (resource.existing) deployment.references.push(id);
    else {
      deployment.resources.push({
        declaredAs: `${scope.path} ${resource.name}`,
        type: resource.type,
        apiVersion: resource.apiVersion,
        id,
        name,
        scope: scopeId,
        body,
      });
    }
    const properties = { ...(body.properties as Fields | undefined), ...stateOf(resource.type, name) };
    return { ...body, id, name, type: resource.type, properties };
  });
  return isLoop(resource) ? deployed : deployed[0];
}

function idOf(type: string, name: string, parentId: string | undefined, scopeId: string | undefined, groupId: string) {
  if (parentId) return `${parentId}/${type.split('/').at(-1)}/${name}`;
  if (type === 'Microsoft.Resources/resourceGroups') return `${SUBSCRIPTION}/resourceGroups/${name}`;
  return `${scopeId ?? groupId}/providers/${type}/${name}`;
}

/** The body of a declaration for each item of its loop, without those whose condition is false. */
function instancesOf({ node }: Declaration, scope: Scope): { body: Node; scope: Scope }[] {
  const start = expectAssigned(node, scope);
  const items = start.type === 'for_statement' ? loopItems(start, scope) : [{ body: start, scope }];
  return items.flatMap((item) => {
    if (item.body.type !== 'if_statement') return [item];
    const [condition, body] = parts(item.body);
    if (!condition || !body) return fail(item.body, scope, 'no condition');
    return evaluate(condition, item.scope) ? [{ ...item, body }] : [];
  });
}

function isLoop({ node }: Declaration): boolean {
  return assigned(node)?.type === 'for_statement';
}

const notOfTheBody = ['parent', 'scope', 'dependsOn'];

function fieldsOf(body: Node, scope: Scope, names?: string[]): Fields {
  const chosen = parts(body).flatMap((property) => {
    const [key, value] = parts(property);
    if (!key || !value) return [];
    const isWanted = names ? names.includes(key.text) : !notOfTheBody.includes(key.text);
    return isWanted ? [[key.text, evaluate(value, scope)] as const] : [];
  });
  return Object.fromEntries(chosen);
}

function propertyOf(body: Node, name: string): Node | undefined {
  return parts(body)
    .map(parts)
    .find(([key]) => key?.text === name)?.[1];
}

/** What stands after the `=`. */
function assigned(node: Node): Node | undefined {
  const equals = node.children.findIndex((child) => child.type === '=');
  return equals < 0
    ? undefined
    : node.children.slice(equals + 1).find((child) => child.isNamed && child.type !== 'comment');
}

function expectAssigned(node: Node, scope: Scope): Node {
  return assigned(node) ?? fail(node, scope, 'no value');
}
