/**
 * How a field lies in a table. Instants are RFC 3339 text, so that filters can compare them; `json` holds what has a
 * shape of its own. A cleared field is the empty text, because a merge can set a property but not take it away.
 */
export type Column = 'text' | 'number' | 'flag' | 'instant' | 'json';

export type Columns<T> = { readonly [Field in keyof Required<T>]: Column };

type Property = string | number | boolean;

/** The properties to write for the fields given; `null` and `undefined` clear a field. */
export function toProperties<T extends object>(columns: Columns<T>, fields: { [Field in keyof T]?: T[Field] | null }) {
  const properties: Record<string, Property> = {};
  for (const [field, value] of Object.entries(fields)) {
    const column: Column | undefined = columns[field as keyof T];
    if (column !== undefined) properties[field] = write(column, value);
  }
  return properties;
}

/** The record that lies in these properties. Fields that are absent or cleared are left out. */
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

/** Instants end in `At` everywhere in our records; a lease's `until` is the one other. */
export function reviveInstants(key: string, value: unknown): unknown {
  return typeof value === 'string' && (key.endsWith('At') || key === 'until') ? new Date(value) : value;
}
