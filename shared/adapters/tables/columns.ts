/**
 * How a field is stored in a table. Instants are RFC 3339 text, so that filters can compare them. `json` is for nested
 * values. A cleared field is an empty text, because a merge cannot remove a property.
 */
type Column = 'text' | 'number' | 'flag' | 'instant' | 'json';

export type Columns<T> = { readonly [Field in keyof Required<T>]: Column };

type Property = string | number | boolean;

/** The properties to write for these fields. `null` and `undefined` clear a field. */
export function toProperties<T extends object>(columns: Columns<T>, fields: { [Field in keyof T]?: T[Field] | null }) {
  const properties: Record<string, Property> = {};
  for (const [field, value] of Object.entries(fields)) {
    const column: Column | undefined = columns[field as keyof T];
    if (column !== undefined) properties[field] = write(column, value);
  }
  return properties;
}

/** The record with these properties. Fields that are absent or cleared are left out. */
export function fromProperties<T extends object>(columns: Columns<T>, properties: Record<string, unknown>): T {
  const record: Record<string, unknown> = {};
  for (const [field, column] of Object.entries<Column>(columns)) {
    const property = properties[field];
    if (property !== undefined && property !== null && property !== '') record[field] = read(column, property);
  }
  return record as T;
}

function write(column: Column, value: unknown): Property {
  if (value === null || value === undefined) return '';
  switch (column) {
    case 'json':
      return JSON.stringify(value);
    case 'instant':
      return (value as Date).toISOString();
    default:
      return value as Property;
  }
}

function read(column: Column, property: unknown): unknown {
  switch (column) {
    case 'json':
      return JSON.parse(String(property), reviveInstants);
    case 'instant':
      return new Date(String(property));
    case 'number':
      return Number(property);
    default:
      return property;
  }
}

/** Inside `json` values, the names of instants end in `At`. The one exception is `until`, of a lease and of a wait. */
function reviveInstants(key: string, value: unknown): unknown {
  return typeof value === 'string' && (key.endsWith('At') || key === 'until') ? new Date(value) : value;
}
