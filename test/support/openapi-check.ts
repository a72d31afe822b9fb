import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import type { RegisteredRoute } from '../../shared/edge/routes/api.ts';
import { createOpenApi } from '../../shared/edge/routes/openapi.ts';

/** What an answer looks like on the wire. */
interface WireAnswer {
  method: string;
  path: string;
  status: number;
  headers: Headers;
  text: string;
}

/** Throws if an answer is not as the document says. */
export type AnswerCheck = (answer: WireAnswer) => void;

interface ResponseObject {
  $ref?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: object }>;
}

/** The parts of an OpenAPI document that the check reads. */
export interface OpenApiDocument {
  paths?: Record<string, Record<string, { operationId: string; responses: Record<string, ResponseObject> }>>;
  components?: { responses?: Record<string, ResponseObject> };
}

/** Headers that the platform and HTTP itself add. */
const PLATFORM_HEADERS = new Set([
  'content-type',
  'content-length',
  'date',
  'connection',
  'keep-alive',
  'transfer-encoding',
  // From the Functions worker.
  'x-ms-invocation-id',
]);

// The module is CommonJS: its default export is the namespace for TypeScript.
const addFormats = addFormatsModule.default;

/** Checks answers against the OpenAPI document of these routes: an undocumented status, header or field fails. */
export function createOpenApiCheck(routes: readonly RegisteredRoute[]): AnswerCheck {
  const text = JSON.stringify(createOpenApi({ routes, webhooks: [] }, '/'));
  const check = checks.get(text) ?? createDocumentCheck(JSON.parse(text));
  checks.set(text, check);
  return check;
}

/** Compiled schemas are the largest part of an API in a test, so all APIs with the same document share them. */
const checks = new Map<string, AnswerCheck>();

export function createDocumentCheck(document: OpenApiDocument): AnswerCheck {
  const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
  ajv.addSchema(document, 'openapi.json');
  const validators = new Map<string, ValidateFunction>();
  const operations = Object.entries(document.paths ?? {}).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`),
      ...operation,
    })),
  );

  function validatorFor(schema: object): ValidateFunction {
    const key = JSON.stringify(schema);
    // Compiled below the document, so that `#/components/…` resolves there.
    const text = key.replaceAll('"#/components/', '"openapi.json#/components/');
    const validator = validators.get(key) ?? ajv.compile(JSON.parse(text));
    validators.set(key, validator);
    return validator;
  }

  return ({ method, path, status, headers, text }) => {
    const { pathname } = new URL(path, 'https://api.test');
    const operation = operations.find((one) => one.method === method && one.pattern.test(pathname));
    const fail = (what: string) => {
      throw new Error(`${method} ${pathname} answered ${status} with ${what}, which docs/openapi.json does not have`);
    };
    if (!operation) return;
    const named = operation.responses[status] ?? fail('this status');
    const response = named.$ref ? document.components?.responses?.[named.$ref.split('/').at(-1) ?? ''] : named;
    const known = new Set(Object.keys(response?.headers ?? {}).map((name) => name.toLowerCase()));
    for (const [name] of headers) if (!known.has(name) && !PLATFORM_HEADERS.has(name)) fail(`the header ${name}`);
    if (text === '') return;
    const type = headers.get('content-type') ?? '';
    const content = response?.content?.[type] ?? fail(`the media type ${type}`);
    if (!type.includes('json')) return;
    const validate = validatorFor(content.schema);
    for (const json of type === 'application/x-ndjson' ? text.trimEnd().split('\n') : [text]) {
      if (!validate(JSON.parse(json))) fail(`this body: ${json.slice(0, 500)} (${ajv.errorsText(validate.errors)})`);
    }
  };
}
