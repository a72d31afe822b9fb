import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import type { ErrorCode } from '../../kernel/errors.ts';
import { problems } from '../answers/problem.ts';
import { groupByStatus, problemSchema } from '../answers/problem-schema.ts';
import { pageQuery } from '../requests/page.ts';
import type { RegisteredRoute, RegisteredWebhook } from './api.ts';
import { API_OVERVIEW } from './api-overview.ts';
import { type ResponseDescription, tags } from './route.ts';

const text = { type: 'string' as const };

/** Parameters of paths, by their name. A path with another name fails `createOpenApi`. */
const pathParameters: Record<string, { description: string; example: string }> = {
  customerId: { description: 'The ID of a customer.', example: 'cust_01k2m8qj4vabcdefghjkmnp' },
  keyId: { description: 'The ID of an API key.', example: 'key_01k2m8qj4vabcdefghjkmnp' },
  connectionId: { description: 'The ID of a connection.', example: 'conn_01k2m8qj4vabcdefghjkmnp' },
  actionId: { description: 'The ID of an action on mailboxes.', example: 'act_01k2m8qj4vabcdefghjkmnp' },
  importId: { description: 'The ID of an import.', example: 'imp_01k2m8qj4vabcdefghjkmnp' },
  queue: { description: 'The name of a queue.', example: 'check-mailbox' },
  messageId: { description: 'The ID of a poison message.', example: 'imp_01k2m8qj4vabcdefghjkmnp:12' },
  webhookId: { description: 'The ID of a webhook.', example: 'hook_01k2m8qj4vabcdefghjkmnp' },
  deliveryId: { description: 'The ID of a delivery.', example: 'evt_01k2m8qj4vabcdefghjkmnp' },
  emailId: { description: 'The ID of an e-mail.', example: 'evt_01k2m8qj4vabcdefghjkmnp' },
  address: { description: 'The e-mail address of a mailbox.', example: 'jane@contoso.com' },
};

const requestHeaders = {
  'Muster-Customer': 'Operators name the customer they act for. Others leave it out.',
  'Idempotency-Key': 'Repeating a request with the same key and body replays the first answer.',
  'If-None-Match': 'The `ETag` of an earlier answer. If nothing has changed, the answer is 304.',
  'Last-Event-ID': 'The `id` of the last event that arrived. The stream goes on after it.',
  'If-Match': 'The `ETag` of the resource. If it has changed, the answer is 412.',
};

const webhookHeaders = {
  'webhook-id': 'The ID of the event, the same in every attempt. Ignore an event whose ID you have seen.',
  'webhook-timestamp': 'When this attempt was made, in seconds since 1970. Refuse attempts that are minutes old.',
  'webhook-signature': 'Signatures separated by blanks. After a rotation there are two for a while. One must match.',
};

/** Headers of every answer. */
const alwaysHeaders = {
  'X-Request-Id': 'Give this ID to our support.',
  'Cache-Control': 'Whether the answer may be stored.',
  'X-Content-Type-Options': 'Always `nosniff`.',
  'Strict-Transport-Security': 'Tells browsers to use TLS only.',
};

/** Headers of many answers. The tests hold every answer to what its route states. */
const responseHeaders = {
  ...alwaysHeaders,
  ETag: 'Identifies this version of the resource.',
  'Idempotency-Replayed': '`true` if this is the answer to an earlier request with the same `Idempotency-Key`.',
  'Retry-After': 'Seconds to wait before you try again.',
  'WWW-Authenticate': 'Always `Bearer`.',
  'RateLimit-Policy': 'Each limit on requests with its quota (`q`) and its window in seconds (`w`).',
  RateLimit: 'How many requests remain of each limit (`r`), and for how many seconds (`t`).',
};

type ResponseHeader = keyof typeof responseHeaders;

/** On every answer to a valid API key, and on every answer of a route that needs none. */
const rateLimit = ['RateLimit-Policy', 'RateLimit'] as const satisfies ResponseHeader[];

const describeAll = (texts: Record<string, string>) =>
  Object.entries(texts).map(([name, description]) => [name, { description, schema: text }] as const);

const components = {
  securitySchemes: {
    apiKey: { type: 'http' as const, scheme: 'bearer', description: 'An API key: `Authorization: Bearer <key>`.' },
  },
  headers: Object.fromEntries(describeAll(responseHeaders)),
  parameters: Object.fromEntries([
    ...Object.entries(pathParameters).map(([name, { description, example }]) => [
      name,
      { name, in: 'path' as const, required: true, description, schema: text, example },
    ]),
    ...Object.entries(requestHeaders).map(([name, description]) => [
      name,
      { name, in: 'header' as const, required: false, description, schema: text },
    ]),
  ]),
};

/** The headers of every answer, and these. */
const headerRefs = (names: readonly ResponseHeader[]) =>
  Object.fromEntries(
    [...Object.keys(alwaysHeaders), ...names].map((name) => [name, { $ref: `#/components/headers/${name}` as const }]),
  );

/** Makes the OpenAPI 3.1 document from the routes as they are registered, with the schemas that validate requests. */
export function createOpenApi(
  { routes, webhooks }: { routes: readonly RegisteredRoute[]; webhooks: readonly RegisteredWebhook[] },
  server: string,
) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  const refusals: Refusals = new Map();
  for (const route of routes) {
    const path = `/${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route, refusals) };
  }
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'Muster',
      version: '1.0.0',
      description: API_OVERVIEW,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: server }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    components,
    paths,
    webhooks: Object.fromEntries(webhooks.map((webhook) => [webhook.name, { post: toWebhook(webhook) }])),
  };
  return createDocument(document, { override: ({ jsonSchema }) => leaveOutNoise(jsonSchema) });
}

/** zod writes the limits of JavaScript's numbers, and what `date-time` and `uuid` already say. Developers would read both. */
function leaveOutNoise(schema: { format?: string; pattern?: string; minimum?: number; maximum?: number }): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.format === 'date-time' || schema.format === 'uuid') delete schema.pattern;
}

function toOperation(route: RegisteredRoute, refusals: Refusals): ZodOpenApiOperationObject {
  const query = {
    ...shapeOf(route.query),
    ...(route.list && pageQuery),
    ...(route.continues && { cursor: pageQuery.cursor }),
  };
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description && { description: route.description }),
    security: route.permission ? [{ apiKey: [] }] : [],
    parameters: [...pathNames(route), ...headerNames(route)].map((name) => ({
      $ref: `#/components/parameters/${name}` as const,
    })),
    ...(Object.keys(query).length > 0 && { requestParams: { query: z.object(query) } }),
    ...requestBodyOf(route),
    responses: responsesOf(route, refusals),
  };
}

/** What receivers of an event get, and how they may answer. https://www.standardwebhooks.com */
function toWebhook({ name, summary, schema }: RegisteredWebhook): ZodOpenApiOperationObject {
  return {
    operationId: `webhook-${name.replace('.', '-')}`,
    tags: ['Webhooks'],
    summary,
    security: [],
    parameters: Object.entries(webhookHeaders).map(([header, description]) => ({
      name: header,
      in: 'header' as const,
      required: true,
      description,
      schema: text,
    })),
    requestBody: { required: true, content: { 'application/json': { schema } } },
    responses: {
      '2XX': { description: 'Received. Everything else counts as a failure, and the delivery is tried again.' },
      '410': { description: 'Gone: the webhook is disabled, and nothing more is delivered.' },
    },
  };
}

function pathNames({ path }: RegisteredRoute): string[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  for (const name of names)
    if (!(name in pathParameters)) throw new Error(`the path parameter ${name} is not described`);
  return names;
}

function headerNames({
  method,
  permission,
  customer,
  mayNameCustomer,
  responses,
  refusals = [],
}: RegisteredRoute): (keyof typeof requestHeaders)[] {
  if (!permission) return [];
  const isStream = Object.values(responses).some(({ contentType }) => contentType === 'text/event-stream');
  return [
    ...(customer === 'required' || mayNameCustomer ? ['Muster-Customer' as const] : []),
    isStream
      ? 'Last-Event-ID'
      : method === 'POST'
        ? 'Idempotency-Key'
        : method === 'GET'
          ? 'If-None-Match'
          : 'If-Match',
    // A POST that changes the resource itself, as a pause does.
    ...(method === 'POST' && refusals.includes('precondition_failed') ? ['If-Match' as const] : []),
  ];
}

function shapeOf(schema: z.ZodType | undefined): Record<string, z.ZodType> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}

function requestBodyOf({ body, uploads }: RegisteredRoute): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (uploads) {
    const content = Object.entries(uploads).map(([type, { schema, description }]) => [
      type,
      { schema: schema ?? { type: 'string' as const, description } },
    ]);
    return { requestBody: { required: true, content: Object.fromEntries(content) } };
  }
  if (!body) return {};
  const isRequired = !body.safeParse(undefined).success;
  return { requestBody: { required: isRequired, content: { 'application/json': { schema: body } } } };
}

function responsesOf(
  route: RegisteredRoute,
  shared: Refusals,
): Record<`${1 | 2 | 3 | 4 | 5}${string}`, ZodOpenApiResponseObject> {
  const hasTag = route.method === 'GET' && Object.values(route.responses).some(isTagged);
  const answers = Object.entries(route.responses).map(([status, response]) => [status, toResponse(response, route)]);
  const refusals = [...groupByStatus(refusalsOf(route))].map(([status, codes]) => [
    status,
    toRefusal(status, codes, shared, route),
  ]);
  return Object.fromEntries([
    ...answers,
    ...(hasTag ? [['304', notModified(route)]] : []),
    ...refusals,
    ['500', toRefusal(500, [], shared, route)],
  ]);
}

/** Only JSON has a tag. */
function isTagged({ schema, contentType = 'application/json' }: ResponseDescription): boolean {
  return schema !== undefined && contentType === 'application/json';
}

function notModified({ responses }: RegisteredRoute): ZodOpenApiResponseObject {
  const own = Object.assign({}, ...Object.values(responses).map(({ headers }) => headers));
  const headers = {
    ...headerRefs(['ETag', ...rateLimit]),
    ...Object.fromEntries(describeAll(own)),
  };
  return { description: 'Nothing has changed since `If-None-Match`.', headers };
}

function toResponse(response: ResponseDescription, { method }: RegisteredRoute): ZodOpenApiResponseObject {
  const { description, schema, lines, contentType, alsoAs = [], headers = {} } = response;
  const others = Object.fromEntries(alsoAs.map((type) => [type, { schema: text }]));
  const common = headerRefs([
    ...(isTagged(response) ? (['ETag'] as const) : []),
    ...(method === 'POST' ? (['Idempotency-Replayed'] as const) : []),
    ...rateLimit,
  ]);
  return {
    description,
    headers: { ...common, ...Object.fromEntries(describeAll(headers)) },
    ...(schema && { content: { [contentType ?? 'application/json']: { schema }, ...others } }),
    ...(!schema && contentType && { content: { [contentType]: { schema: lines ?? text }, ...others } }),
  };
}

/** Answers with the same codes are one component. The library tells components apart by identity. */
type Refusals = Map<string, ZodOpenApiResponseObject>;

function toRefusal(
  status: number,
  codes: readonly ErrorCode[],
  shared: Refusals,
  { showProblem, responses }: RegisteredRoute,
): ZodOpenApiResponseObject {
  const id = [showProblem ? 'ProblemPage' : 'Problem', status, ...codes].join('-');
  const known = shared.get(id);
  if (known) return known;
  const titles = codes.map((code) => `\`${code}\`: ${problems[code].title}.`);
  const refusal: ZodOpenApiResponseObject = {
    id,
    description: titles.join(' ') || 'An error on our side. Our log has its cause under the `requestId`.',
    headers: headerRefs([
      ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
      ...rateLimit,
      ...(status === 503 || status === 409 || status === 429 ? (['Retry-After'] as const) : []),
      ...(status < 500 && !showProblem ? (['Idempotency-Replayed'] as const) : []),
    ]),
    content: { 'application/problem+json': { schema: problemSchema } },
  };
  if (showProblem) {
    const page = responses[200];
    Object.assign(refusal.headers ?? {}, Object.fromEntries(describeAll(page?.headers ?? {})));
    refusal.content = { [page?.contentType ?? 'text/html']: { schema: text } };
  }
  shared.set(id, refusal);
  return refusal;
}

/** The refusals that follow from a route's shape, and its own. */
export function refusalsOf(route: RegisteredRoute): ErrorCode[] {
  const { method, permission, customer, path, refusals = [] } = route;
  const isWrite = method !== 'GET';
  const own: ErrorCode[] = ['validation_failed', 'rate_limited', ...refusals];
  if (permission) own.push('unauthenticated', 'forbidden', 'storage_unavailable');
  if (permission && customer === 'required') own.push('customer_required', 'not_found');
  if (path.includes('{')) own.push('not_found');
  if (permission && isWrite) own.push('malformed_request', 'payload_too_large');
  if (permission && isWrite) own.push('unsupported_media_type');
  if (permission && method === 'POST') own.push('idempotency_in_progress', 'idempotency_key_reused');
  if (isWrite && method !== 'POST') own.push('precondition_failed');
  return [...new Set(own)];
}
