import type { EdmType } from './message-type.ts';

/** What Graph says about a value that its metadata forbids; `undefined` if the value is allowed. */
export function forbiddenByMetadata(value: unknown, type: EdmType): string | undefined {
  if (value === null || type.kind === 'unchecked') return undefined;
  switch (type.kind) {
    case 'primitive':
      if (typeof value === 'object') return unexpectedNode(value, 'PrimitiveValue');
      return isOfPrimitive(value, type.name) ? undefined : cannotConvert(type.name);
    case 'enum':
      if (typeof value === 'object') return unexpectedNode(value, 'PrimitiveValue');
      if (typeof value !== 'string') return cannotConvert('Edm.String');
      return type.members.includes(value.toLowerCase()) || type.members.includes(value)
        ? undefined
        : `Requested value '${value}' was not found.`;
    case 'collection':
      if (!Array.isArray(value)) return unexpectedNode(value, 'StartArray');
      return firstOf(value, (item) => forbiddenByMetadata(item, type.of));
    case 'complex':
      if (typeof value !== 'object' || Array.isArray(value)) return unexpectedNode(value, 'StartObject');
      return firstOf(Object.entries(value), ([name, inner]) => {
        // Annotations, such as `@odata.type` and `body@odata.type`.
        if (name.includes('@')) return undefined;
        const property = Object.hasOwn(type.properties, name) ? type.properties[name] : undefined;
        return property ? forbiddenByMetadata(inner, property) : unknownProperty(name, type.name);
      });
  }
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isOfPrimitive(value: unknown, name: string): boolean {
  if (name === 'Edm.Boolean') return typeof value === 'boolean';
  if (name === 'Edm.DateTimeOffset') return typeof value === 'string' && !Number.isNaN(Date.parse(value));
  return typeof value === 'string';
}

const unknownProperty = (name: string, type: string) =>
  `The property '${name}' does not exist on type '${type}'. Make sure to only use property names that are defined by the type or mark the type as open type.`;

const cannotConvert = (type: string) =>
  `Cannot convert a primitive value to the expected type '${type}'. See the inner exception for more details.`;

function unexpectedNode(value: unknown, expected: 'PrimitiveValue' | 'StartObject' | 'StartArray'): string {
  const found = Array.isArray(value) ? 'StartArray' : typeof value === 'object' ? 'StartObject' : 'PrimitiveValue';
  return `An unexpected '${found}' node was found when reading from the JSON reader. A '${expected}' node was expected.`;
}
