import fc from 'fast-check';
import { arbitraryOf, type JsonSchema, type KnownValues } from './arbitrary-of-schema.ts';
import { headerText, hostileJson, hostileText } from './hostile.ts';

interface Parameter {
  $ref?: string;
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: JsonSchema;
}

export interface Operation {
  method: string;
  template: string;
  operationId: string;
  isPublic: boolean;
  pathNames: string[];
  query: { name: string; schema: JsonSchema; required: boolean }[];
  headers: string[];
  json?: JsonSchema;
  takesUpload: boolean;
}

export interface Document {
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string;
        parameters?: Parameter[];
        security?: object[];
        requestBody?: { content: Record<string, { schema: JsonSchema }> };
      }
    >
  >;
}

/** Follows a reference such as `#/components/schemas/MailboxList`. */
export const resolverOf = (document: object) => (ref: string) =>
  ref
    .split('/')
    .slice(1)
    .reduce((part, name) => (part as Record<string, object>)[name] ?? {}, document) as never;

export function operationsOf(document: Document): Operation[] {
  const resolve = resolverOf(document);
  return Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const parameters = (operation.parameters ?? []).map((one) => (one.$ref ? (resolve(one.$ref) as Parameter) : one));
      const content = operation.requestBody?.content ?? {};
      const json = content['application/json']?.schema;
      const ofKind = (kind: Parameter['in']) => parameters.filter((one) => one.in === kind);
      return {
        method: method.toUpperCase(),
        template,
        operationId: operation.operationId,
        isPublic: operation.security?.length === 0,
        pathNames: [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
        query: ofKind('query').map(({ name, schema, required = false }) => ({ name, schema, required })),
        headers: ofKind('header').map(({ name }) => name),
        ...(json && { json }),
        takesUpload: 'text/csv' in content,
      };
    }),
  );
}

export type Who = 'operator' | 'owner' | 'member' | 'viewer' | 'nobody';

export interface AnyRequest {
  operation: Operation;
  method: string;
  /** For each parameter of the path, the age of an ID that an earlier answer held, or another text. */
  params: (number | string)[];
  /** Makes another spelling of the path. */
  twist: (path: string) => string;
  query: [name: string, value: string][];
  body?: { value?: unknown; raw: string | Uint8Array; type: string | undefined } | undefined;
  who: Who;
  headers: Record<string, string | string[]>;
}

const twists: [weight: number, twist: AnyRequest['twist']][] = [
  [60, (path) => path],
  [1, (path) => `${path}/`],
  [1, (path) => `${path}//`],
  [1, (path) => `/${path}`],
  [1, (path) => path.toUpperCase()],
  [1, (path) => path.replace('/v1', '/v1/../v1/.')],
  [1, (path) => path.replace('/v1', '/%76%31')],
  [1, (path) => `${path}%00`],
  [1, (path) => `${path}%2f`],
  [1, (path) => `${path}/%2e%2e`],
  [1, (path) => `${path};a=b`],
  [1, (path) => `${path}%zz%`],
  [1, (path) => `${path}/more/of/it`],
  [1, (path) => path.slice(0, -1)],
];

const twist = fc.oneof(...twists.map(([weight, one]) => ({ weight, arbitrary: fc.constant(one) })));
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const accepts = ['*/*', 'application/json', 'text/html', 'application/xml;q=1', 'image/*, */*;q=0', 'nonsense'];
const mediaTypes = [
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/merge-patch+json',
  'application/x-www-form-urlencoded',
  'APPLICATION/JSON',
  'text/plain',
  'multipart/form-data',
  'text/csv; header=present',
];

const headerValues: Record<string, fc.Arbitrary<string | string[]>> = {
  accept: fc.oneof(fc.constantFrom(...accepts), headerText),
  'accept-encoding': fc.constantFrom('gzip', 'br', 'identity;q=0', '*;q=0'),
  'accept-language': headerText,
  'idempotency-key': fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('one', 'two', 'x'.repeat(256)) },
    { weight: 1, arbitrary: headerText },
  ),
  'if-match': fc.oneof(fc.constantFrom('*', '"x"', 'W/"x"', '"a", "b"'), headerText),
  'if-none-match': fc.oneof(fc.constantFrom('*', '"x"', 'W/"x"'), headerText),
  'content-encoding': fc.constantFrom('gzip', 'identity', 'br, gzip', ''),
  'content-type': fc.oneof(fc.constantFrom(...mediaTypes), headerText),
  'muster-customer': headerText,
  authorization: fc.oneof(fc.constantFrom('Bearer', 'Bearer ', 'Basic eDp5', 'bearer x y'), headerText),
  'x-forwarded-for': headerText,
  'x-http-method-override': fc.constantFrom('DELETE', 'PUT'),
  'x-other': fc.array(headerText, { maxLength: 3 }),
  range: fc.constantFrom('bytes=0-1', 'bytes=9-'),
  traceparent: headerText,
  origin: fc.constantFrom('null', 'https://evil.example'),
  cookie: headerText,
  host: fc.constantFrom('evil.example', 'evil.example:1'),
};

// Most of them alone refuse the request, so there are seldom several.
const headers: fc.Arbitrary<Record<string, string | string[]>> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.constant(['idempotency-key']) },
    { weight: 3, arbitrary: fc.subarray(Object.keys(headerValues), { minLength: 1, maxLength: 2 }) },
  )
  .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, headerValues[name] ?? headerText]))));

const csv = fc
  .array(fc.array(fc.oneof(fc.emailAddress(), fc.constant('"'), hostileText), { maxLength: 3 }), { maxLength: 4 })
  .map((rows) => `email,name,limit\n${rows.map((row) => row.join(',')).join('\n')}`);
const form = fc
  .tuple(fc.constantFrom('file', 'File', '', '__proto__'), csv)
  .map(([name, text]) => `--b\r\ncontent-disposition: form-data; name="${name}"; filename="a"\r\n\r\n${text}\r\n--b--`);
const asJson = (value: unknown) => ({ value, raw: JSON.stringify(value), type: 'application/json' });

/** The fields of a body, or of all its alternatives. */
function fieldsOf(schema: JsonSchema, resolve: (ref: string) => JsonSchema): string[] {
  const found = schema.$ref ? resolve(schema.$ref) : schema;
  const alternatives = (found.anyOf ?? found.oneOf ?? []).flatMap((one) => fieldsOf(one, resolve));
  return [...new Set([...Object.keys(found.properties ?? {}), ...alternatives])];
}

/** Requests to every operation of the document: most are as it says, and the others differ from it in some way. */
export function anyRequestOf(document: Document, known: KnownValues): fc.Arbitrary<AnyRequest> {
  const resolve = resolverOf(document);

  function bodyOf({ method, json, takesUpload }: Operation): fc.Arbitrary<AnyRequest['body']> {
    const none = fc.constant(undefined);
    const hostile = hostileJson.map(asJson);
    if (!json) {
      const weight = method === 'GET' ? 30 : 6;
      return fc.oneof({ weight, arbitrary: none }, { weight: 1, arbitrary: fc.constant(asJson({})) }, hostile);
    }
    const good = arbitraryOf(json, resolve, known);
    const names = fieldsOf(json, resolve);
    const wrong = fc
      .tuple(good, fc.dictionary(fc.constantFrom(...names, 'surprise', '__proto__', 'constructor'), hostileJson))
      .map(([one, other]) => Object.assign({}, one, other));
    const lacking = fc
      .tuple(good, fc.constantFrom(...names))
      .map(([one, name]) => Object.fromEntries(Object.entries(one as object).filter(([key]) => key !== name)));
    const cut = fc.tuple(good, fc.nat(80)).map(([value, at]) => JSON.stringify(value).slice(at));
    return fc.oneof(
      { weight: takesUpload ? 6 : 16, arbitrary: good.map(asJson) },
      { weight: 3, arbitrary: wrong.map(asJson) },
      { weight: 2, arbitrary: lacking.map(asJson) },
      { weight: 1, arbitrary: hostile },
      { weight: 1, arbitrary: cut.map((raw) => ({ raw, type: 'application/json' })) },
      { weight: takesUpload ? 6 : 1, arbitrary: csv.map((raw) => ({ raw, type: 'text/csv' })) },
      { weight: takesUpload ? 4 : 1, arbitrary: form.map((raw) => ({ raw, type: 'multipart/form-data; boundary=b' })) },
      { weight: 1, arbitrary: fc.uint8Array().map((raw) => ({ raw, type: 'application/json' })) },
      { weight: 1, arbitrary: hostileText.map((raw) => ({ raw, type: undefined })) },
      { weight: 1, arbitrary: none },
    );
  }

  function queryOf({ query }: Operation): fc.Arbitrary<AnyRequest['query']> {
    const names = query.map(({ name }) => name);
    const good = fc
      .subarray(query)
      .chain((chosen) =>
        fc.tuple(
          ...chosen.map(({ name, schema }) =>
            (known[name] ?? arbitraryOf(schema, resolve, known)).map((value): [string, string] => [
              name,
              String(value).toWellFormed(),
            ]),
          ),
        ),
      );
    const name = fc.oneof(fc.constantFrom(...names, 'limit', 'cursor', 'code'), hostileText);
    const pair = fc
      .tuple(name, hostileText)
      .map((both): [string, string] => [both[0].toWellFormed(), both[1].toWellFormed()]);
    return fc.oneof(
      { weight: names.length > 0 ? 3 : 12, arbitrary: fc.constant<AnyRequest['query']>([]) },
      { weight: 6, arbitrary: good },
      { weight: 1, arbitrary: fc.tuple(good, fc.array(pair, { maxLength: 3 })).map(([a, b]) => [...a, ...b]) },
      // A parameter twice.
      { weight: 1, arbitrary: good.map((pairs) => [...pairs, ...pairs]) },
    );
  }

  // A stream of events answers for minutes. It has tests of its own.
  const operations = operationsOf(document).filter(({ template }) => !template.endsWith('/events'));
  return fc.constantFrom(...operations).chain((operation) => {
    const param = fc.oneof(
      { weight: 14, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.nat(2) },
      { weight: 1, arbitrary: hostileText },
    );
    const { length } = operation.pathNames;
    return fc.record({
      operation: fc.constant(operation),
      method: fc.oneof(
        { weight: 15, arbitrary: fc.constant(operation.method) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      params: fc.array(param, { minLength: length, maxLength: length }),
      twist,
      query: queryOf(operation),
      body: bodyOf(operation),
      who: fc.constantFrom<Who>('operator', 'operator', 'owner', 'owner', 'owner', 'member', 'viewer', 'nobody'),
      headers,
    });
  });
}
