import type { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import type { AnswerCheck } from '../openapi-check.ts';
import { type AnyRequest, type Operation, resolverOf } from './any-request.ts';
import type { JsonSchema } from './arbitrary-of-schema.ts';
import type { ExactAnswer } from './send-exact.ts';

const PROBLEM_MAX_LENGTH = 40_000;

/** Tells whether the document allows the body and the query of a request. */
export function createInputCheck(document: object, ajv: Ajv2020) {
  ajv.addSchema(document, 'requests.json');
  const resolve = resolverOf(document);
  function validates(schema: JsonSchema, value: unknown): boolean {
    return ajv.validate(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"requests.json#/')), value);
  }
  return {
    isDocumentedBody: ({ json }: Operation, value: unknown) => json === undefined || validates(json, value),
    isDocumentedQuery({ query }: Operation, pairs: [string, string][]): boolean {
      return pairs.every(([name, text]) => {
        const schema = query.find((one) => one.name === name)?.schema;
        if (!schema) return false;
        const { type } = schema.$ref ? (resolve(schema.$ref) as JsonSchema) : schema;
        return validates(schema, type === 'integer' || type === 'number' ? Number(text) : text);
      });
    },
  };
}

/** A test cannot reach the real Microsoft. */
function isAboutRealMicrosoft({ operation, body }: AnyRequest): boolean {
  return operation.operationId === 'connections-create' && !String(body?.raw).includes('"cloud":"simulator"');
}

type InputCheck = ReturnType<typeof createInputCheck>;

/** Expects an answer that the document has, in the form of the API, without a 5xx, and no success for a wrong request. */
export function expectTrueAnswer(
  sent: AnyRequest,
  path: string,
  answer: ExactAnswer,
  check: AnswerCheck,
  input: InputCheck,
): void {
  const { operation, method } = sent;
  const { status, headers, text } = answer;
  const about = `${method} ${path.slice(0, 300)} ${JSON.stringify(sent.body?.raw)?.slice(0, 500)} ${JSON.stringify(sent.headers)} as ${sent.who} answered ${status} ${text.slice(0, 500)}`;
  if (status === 503 && isAboutRealMicrosoft(sent)) {
    expect(text, about).toContain('"microsoft_unavailable"');
    expect(headers.get('retry-after'), about).toMatch(/^\d+$/);
  } else expect(status, about).toBeLessThan(500);
  expect(status, about).toBeGreaterThanOrEqual(200);
  // The host answers methods that no function has.
  if (method === 'TRACE' || method === 'PROPFIND') return;
  expect(headers.get('x-content-type-options'), about).toBe('nosniff');
  expect(headers.get('strict-transport-security'), about).toMatch(/^max-age=/);
  check({ method, path, status, headers, text });
  if (status === 405) expect(headers.get('allow'), about).toMatch(/^[A-Z, ]+$/);
  if (method === 'HEAD') expect(text, about).toBe('');
  // The page to which a browser returns is HTML, whatever its status.
  else if (status >= 400 && operation.operationId !== 'consent-callback') {
    expect(headers.get('content-type'), about).toBe('application/problem+json');
    expect(JSON.parse(text), about).toMatchObject({
      status,
      code: expect.any(String),
      requestId: expect.stringMatching(/./),
      detail: expect.stringMatching(/.{15}/),
    });
    expect(text.length, about).toBeLessThan(PROBLEM_MAX_LENGTH);
  }
  if (status >= 300 || method !== operation.method) return;
  if (sent.who === 'nobody') expect(operation.isPublic || sent.headers.authorization, about).toBeTruthy();
  if (sent.body && 'value' in sent.body && sent.headers['content-type'] === undefined) {
    expect(input.isDocumentedBody(operation, JSON.parse(String(sent.body.raw))), `undocumented body: ${about}`).toBe(
      true,
    );
  }
  if (!operation.isPublic) {
    expect(input.isDocumentedQuery(operation, sent.query), `undocumented query: ${about}`).toBe(true);
  }
}
