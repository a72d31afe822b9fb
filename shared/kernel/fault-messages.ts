import { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

/**
 * What customers read about a wrong field, after its name: `must be a string, such as "Contoso"`. Covers every kind of
 * fault that a schema can find. A schema that says more about its own rule keeps its own message.
 *
 * The example is the first of the schema's `meta({ examples })`.
 */
export function faultMessage(issue: Issue): string {
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return 'is required';
  }
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? 'of another type'}${exampleOf(issue)}`;
    case 'invalid_value':
      return `must be ${valuesOf(issue)}`;
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return `must ${sizeOf(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)}`;
    case 'invalid_format':
      return `must be ${formatNames[issue.format] ?? 'in the expected format'}${exampleOf(issue, formatExamples[issue.format])}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return 'is not a known field';
    default:
      return `is not valid${exampleOf(issue)}`;
  }
}

const typeNames: Partial<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  nan: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a JSON object',
  record: 'a JSON object',
  array: 'an array',
  tuple: 'an array',
  date: 'a date',
  null: 'null',
};

const formatNames: Partial<Record<string, string>> = {
  datetime: 'a date and time with offset',
  date: 'a date',
  duration: 'an ISO 8601 duration',
  guid: 'a GUID',
  uuid: 'a GUID',
  url: 'a URL',
  email: 'an e-mail address',
};

const formatExamples: Partial<Record<string, string>> = {
  datetime: '2027-06-01T00:00:00Z',
  date: '2027-06-01',
  duration: 'PT90S',
  guid: '8f14e45f-ceea-467a-9b36-34f6c3bb1d2a',
  uuid: '8f14e45f-ceea-467a-9b36-34f6c3bb1d2a',
  url: 'https://muster.example',
  email: 'jane@contoso.com',
};

function valuesOf({ expected, values }: Extract<Issue, { code: 'invalid_value' }> & { expected?: unknown }): string {
  // The schema of a boolean in a query also accepts `1`, `yes` and more. They are not worth a list.
  if (expected === 'stringbool') return 'true or false';
  return values.length === 1 ? JSON.stringify(values[0]) : `one of: ${values.join(', ')}`;
}

function tooSmall({ origin, minimum, inclusive }: Extract<Issue, { code: 'too_small' }>): string {
  if (origin === 'string' && Number(minimum) === 1) return 'must not be empty';
  return `must ${sizeOf(origin, inclusive === false ? 'more than' : 'at least', minimum)}`;
}

function sizeOf(origin: string, bound: string, size: number | bigint): string {
  if (origin === 'string') return `be ${bound} ${size} ${size === 1 ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `have ${bound} ${size} ${size === 1 ? 'item' : 'items'}`;
  return `be ${bound} ${size}`;
}

function exampleOf({ schema, inst }: Issue & { schema?: unknown }, fallback?: string): string {
  const source = schema ?? inst;
  const examples = source instanceof z.core.$ZodType ? z.globalRegistry.get(source)?.examples : undefined;
  const example = Array.isArray(examples) ? JSON.stringify(examples[0]) : fallback;
  return example === undefined ? '' : `, such as ${example}`;
}
