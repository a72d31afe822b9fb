import fc from 'fast-check';

/** The parts of a JSON Schema that requests in our document use. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
}

/** Values that mean something to the running stack, by the name of their field. Others are made up from the schema. */
export type KnownValues = Record<string, fc.Arbitrary<unknown>>;

const ITEMS_MAX = 4;

/** Any value that a schema of the document allows. */
export function arbitraryOf(schema: JsonSchema, resolve: (ref: string) => JsonSchema, known: KnownValues) {
  function ofField(name: string, field: JsonSchema): fc.Arbitrary<unknown> {
    const value = known[name];
    if (!value) return of(field);
    return fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: of(field) });
  }

  function of(one: JsonSchema): fc.Arbitrary<unknown> {
    if (one.$ref) return of(resolve(one.$ref));
    if ('const' in one) return fc.constant(one.const);
    if (one.enum) return fc.constantFrom(...one.enum);
    const alternatives = one.anyOf ?? one.oneOf;
    if (alternatives) return fc.oneof(...alternatives.map(of));
    if (Array.isArray(one.type)) return fc.oneof(...one.type.map((type) => of({ ...one, type })));
    switch (one.type) {
      case 'object':
        return fc.record(
          Object.fromEntries(Object.entries(one.properties ?? {}).map(([name, field]) => [name, ofField(name, field)])),
          { requiredKeys: one.required ?? [] },
        );
      case 'array':
        return fc.array(of(one.items ?? {}), { minLength: one.minItems ?? 0, maxLength: ITEMS_MAX });
      case 'integer':
        return fc.integer({ min: one.minimum ?? -(2 ** 31), max: one.maximum ?? 2 ** 31 - 1 });
      case 'number':
        return fc.double({ noNaN: true, noDefaultInfinity: true });
      case 'boolean':
        return fc.boolean();
      case 'string':
        return textOf(one);
      case 'null':
        return fc.constant(null);
      default:
        throw new Error(`no arbitrary for ${JSON.stringify(one)}`);
    }
  }
  return of(schema);
}

function textOf({ format, pattern, minLength = 0, maxLength = 300 }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    return fc
      .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((at) => at.toISOString());
  }
  if (format === 'uuid') return fc.uuid();
  if (format === 'base64') return fc.base64String({ minLength: 4, maxLength: 300 });
  const expression = pattern === undefined ? undefined : new RegExp(pattern, 'v');
  // fast-check makes strings of simple expressions only.
  if (expression && !expression.source.includes('\\p')) return fc.stringMatching(expression);
  return fc
    .string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 300) })
    .filter((text) => text.length <= maxLength && (expression?.test(text) ?? true));
}
