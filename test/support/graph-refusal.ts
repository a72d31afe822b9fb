import { expect } from 'vitest';
import type { ErrorRow } from './graph-error-rows.ts';
import type { ErrorBody, HttpResult } from './simulator-client.ts';

/** The client request id that tests send with every call whose headers they check. */
export const clientRequestId = '0f7c1d52-83be-4a61-9d47-2b5e6a90c3f8';

export const outlookJson =
  'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The refusal that a test expects from Graph. */
export type ExpectedRefusal = Pick<ErrorRow, 'status' | 'message' | 'inner' | 'retryAfter' | 'challenge'> & {
  code: string;
};

/** Checks the whole refusal: status, code, message, the form of the body, and the headers. */
export function expectRefusal({ status, headers, body }: HttpResult<ErrorBody>, expected: ExpectedRefusal): void {
  expect(body.error).toMatchObject({
    code: expected.code,
    message: expected.message ?? expect.stringMatching(/\S/),
  });
  expect(status).toBe(expected.status);
  expect(Object.keys(body)).toEqual(['error']);
  expect(body.error?.innerError !== undefined, 'innerError').toBe(expected.inner ?? false);
  if (expected.inner) {
    expect(body.error?.innerError?.date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    expect(body.error?.innerError?.['request-id']).toBe(headers.get('request-id'));
  }
  expect(headers.get('content-type')).toBe(expected.inner ? 'application/json' : outlookJson);
  expect(headers.get('retry-after')).toBe(expected.retryAfter ?? null);
  expectCommonHeaders(headers);
  const challenge = headers.get('www-authenticate');
  if (!expected.challenge) expect(challenge).toBeNull();
  else expectChallenge(challenge ?? '', expected.challenge);
}

/** Checks the headers of every Graph response. */
export function expectCommonHeaders(headers: Headers): void {
  expect(headers.get('request-id')).toMatch(guid);
  expect(headers.get('client-request-id')).toBe(clientRequestId);
  expect(JSON.parse(headers.get('x-ms-ags-diagnostic') ?? '')).toMatchObject({
    ServerInfo: { DataCenter: 'Canada East', Slice: 'E', Ring: '2', ScaleUnit: '001' },
  });
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
  expect(headers.get('vary')).toBe('Accept-Encoding');
  expect(headers.get('cache-control')).toMatch(/^(private|no-store)$/);
  expect(Date.parse(headers.get('date') ?? '')).not.toBeNaN();
}

function expectChallenge(text: string, kind: 'plain' | 'claims'): void {
  const start =
    /^Bearer realm="", authorization_uri="https:\/\/127\.0\.0\.1:\d+\/common\/oauth2\/authorize", client_id="00000003-0000-0000-c000-000000000000"/;
  expect(text).toMatch(start);
  const rest = text.replace(start, '');
  if (kind === 'plain') {
    expect(rest).toBe('');
    return;
  }
  const claims = /^, error="insufficient_claims", claims="([^"]+)"$/.exec(rest)?.[1] ?? '';
  expect(JSON.parse(Buffer.from(claims, 'base64').toString())).toHaveProperty('access_token.nbf.essential', true);
}
