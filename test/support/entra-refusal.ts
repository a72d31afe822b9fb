import { expect } from 'vitest';
import type { HttpResult, TokenBody } from './simulator-client.ts';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The refusal for one AADSTS number. */
export interface EntraRefusalRow {
  error: string;
  status: number;
  /** How the description starts, after the number. */
  start?: string;
  withoutUri?: true;
  retryAfter?: string;
}

/** Checks what all refusals of Entra have in common, and what is specific to this AADSTS number. */
export function expectEntraRefusal(
  { status, headers, body }: HttpResult<TokenBody>,
  code: number,
  row: EntraRefusalRow,
): void {
  expect([status, body.error, body.error_codes]).toEqual([row.status, row.error, [code]]);
  expect(body.error_description).toMatch(new RegExp(`^AADSTS${code}: \\S`));
  expect(body.error_description?.slice(`AADSTS${code}: `.length)).toMatch(startsWith(row.start ?? ''));
  expect(body.trace_id).toMatch(guid);
  expect(body.correlation_id).toMatch(guid);
  expect(body.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  expect(
    body.error_description?.endsWith(
      ` Trace ID: ${body.trace_id} Correlation ID: ${body.correlation_id} Timestamp: ${body.timestamp}`,
    ),
  ).toBe(true);
  expect(body.error_uri).toBe(row.withoutUri ? undefined : `https://login.microsoftonline.com/error?code=${code}`);
  expect(headers.get('retry-after')).toBe(row.retryAfter ?? null);
  expectEntraHeaders(headers);
  expect(headers.get('x-ms-request-id')).toBe(body.trace_id);
}

const startsWith = (text: string) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);

/** Checks the headers of every response of the token endpoint. */
export function expectEntraHeaders(headers: Headers): void {
  expect(Object.fromEntries(headers)).toMatchObject({
    'cache-control': 'no-store, no-cache',
    pragma: 'no-cache',
    expires: '-1',
    'content-type': 'application/json; charset=utf-8',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'x-ms-request-id': expect.stringMatching(guid),
    'x-ms-ests-server': expect.stringMatching(/\S/),
  });
}
