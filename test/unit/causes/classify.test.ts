import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { readEntraRefusal } from '../../../shared/adapters/entra/entra-refusal.ts';
import { createSendBatch, type PartAnswer } from '../../../shared/adapters/graph/batch.ts';
import { type CauseCode, causeCodes, causes } from '../../../shared/causes/causes.ts';
import { classify, isWaitCause, type RefusalContext } from '../../../shared/causes/classify.ts';
import { entraCodes, oauthErrors } from '../../../shared/causes/entra-codes.ts';
import { denialCodes, graphCodes } from '../../../shared/causes/graph-codes.ts';
import type { Refusal } from '../../../shared/causes/refusal.ts';
import { probes } from '../../../shared/causes/verdict.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import recordedEntra from '../../fixtures/recorded/entra.json' with { type: 'json' };
import recordedGraph from '../../fixtures/recorded/graph.json' with { type: 'json' };

const recorded = z.strictObject({
  name: z.string(),
  /** How reliable the source is, from A to C. */
  grade: z.string(),
  source: z.string(),
  status: z.int(),
  headers: z.record(z.string(), z.string()).optional(),
  cause: z.enum(causeCodes),
});
const graphRecords = z
  .array(
    recorded.extend({
      body: z.json(),
      context: z
        .strictObject({
          probe: z.enum(probes),
          roles: z.array(z.string()),
          othersPassed: z.boolean().exactOptional(),
          mailboxOpened: z.boolean().exactOptional(),
        })
        .optional(),
      retryAfterSeconds: z.number().optional(),
    }),
  )
  .parse(recordedGraph);
const entraRecords = z
  .array(
    recorded.extend({
      body: z.looseObject({ error: z.string(), error_description: z.string() }),
      code: z.string(),
    }),
  )
  .parse(recordedEntra);
const graphErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const outerId = '99999999-8888-4777-8666-555555555555';
const innerId = '11111111-2222-4333-8444-555555555555';

afterEach(() => vi.unstubAllGlobals());

/** What the adapter reads if Graph answers a batch with one part in this way. */
async function readWholeAnswer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<PartAnswer> {
  const text = body === null || body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
  vi.stubGlobal('fetch', async () => new Response(text, { status, headers: { 'request-id': outerId, ...headers } }));
  const send = createSendBatch({ timeoutMs: 1000, now: () => new Date() });
  const parts = await send('https://graph.microsoft.com', new Secret('t'), [{ id: '1', method: 'GET', url: '/x' }]);
  const part = parts.get('1');
  if (!part) throw new Error('the batch has no answer for its part');
  return part;
}

/** The same answer as a part of a batch that succeeded. */
const readPartAnswer = (status: number, body: unknown, headers: Record<string, string> = {}): Promise<PartAnswer> =>
  readWholeAnswer(200, { responses: [{ id: '1', status, headers, body }] });

function refusalOf(answer: PartAnswer): Refusal {
  if (answer.kind !== 'refused') throw new Error(`not refused but ${answer.kind}`);
  return answer.refusal;
}

describe('recorded answers of Graph', () => {
  it.each(graphRecords)('$name ($grade): $cause', async (record) => {
    const { status, body, headers, context, cause, retryAfterSeconds } = record;
    const error = graphErrorBody.safeParse(body).data?.error;
    const hasInner = JSON.stringify(body)?.includes('"request-id"') ?? false;
    for (const answer of [await readPartAnswer(status, body, headers), await readWholeAnswer(status, body, headers)]) {
      const refusal = refusalOf(answer);
      expect(refusal).toEqual({
        service: 'graph',
        status,
        code: error?.code ?? '',
        message: error?.message ?? '',
        requestId: hasInner ? innerId : outerId,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      });
      expect(classify(refusal, context)).toBe(cause);
    }
  });

  it('takes the request ID from the headers of the part if its body has none', async () => {
    const answer = await readPartAnswer(503, null, { 'Request-Id': innerId });
    expect(refusalOf(answer).requestId).toBe(innerId);
  });

  it.each([
    ['broken JSON', 200, '{"responses":[{"id":"1","st'],
    ['a page', 200, '<html></html>'],
    ['an answer without parts', 200, {}],
    ['an answer without this part', 200, { responses: [{ id: '2', status: 200 }] }],
    ['a part without a status', 200, { responses: [{ id: '1' }] }],
    ['parts that are not objects', 200, { responses: [null, 7] }],
    ['nothing', 200, ''],
  ])('counts %s as a lost answer', async (_, status, body) => {
    expect(await readWholeAnswer(status, body)).toEqual({ kind: 'lost', requestId: outerId });
  });

  it('counts a broken connection as a lost answer', async () => {
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('fetch failed');
    });
    const send = createSendBatch({ timeoutMs: 1000, now: () => new Date() });
    const parts = await send('https://graph.microsoft.com', new Secret('t'), [{ id: '1', method: 'GET', url: '/x' }]);
    expect(parts.get('1')).toEqual({ kind: 'lost' });
  });

  it('counts any status of 400 or more as a refusal, with any body', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.integer({ min: 400, max: 599 }), async (body, status) => {
        expect((await readPartAnswer(status, body)).kind).toBe('refused');
      }),
      { numRuns: 50 },
    );
  });
});

const refusal = (code: string, status: number, message = ''): Refusal => ({ service: 'graph', status, code, message });

describe('Graph’s codes', () => {
  const rows: [string, number, CauseCode][] = [
    ['ErrorInvalidUser', 404, 'mailbox_not_found'],
    ['ErrorNonExistentMailbox', 404, 'mailbox_not_found'],
    ['Request_ResourceNotFound', 404, 'mailbox_not_found'],
    ['ResourceNotFound', 404, 'mailbox_unlicensed_or_on_premises'],
    ['MailboxNotEnabledForRESTAPI', 404, 'mailbox_unlicensed_or_on_premises'],
    ['MailboxNotSupportedForRESTAPI', 404, 'mailbox_unlicensed_or_on_premises'],
    ['ErrorInvalidLicense', 403, 'mailbox_unlicensed_or_on_premises'],
    ['ErrorAccountDisabled', 403, 'mailbox_disabled'],
    ['ErrorSendAsDenied', 403, 'send_as_denied'],
    ['ErrorMailboxMoveInProgress', 503, 'mailbox_moving'],
    ['quotaLimitReached', 507, 'mailbox_full'],
    ['Authorization_IdentityNotFound', 401, 'service_principal_missing'],
    ['Authorization_IdentityDisabled', 403, 'app_disabled'],
    ['InvalidAuthenticationToken', 401, 'token_rejected'],
    ['ErrorOrganizationAccessBlocked', 403, 'tenant_blocked'],
    ['ErrorSubmissionQuotaExceeded', 429, 'throttled'],
    // The status varies, so the code decides.
    ...[400, 429, 507].map((status): [string, number, CauseCode] => ['ErrorQuotaExceeded', status, 'mailbox_full']),
    ...[400, 403, 429].map((status): [string, number, CauseCode] => [
      'ErrorExceededMessageLimit',
      status,
      'sending_blocked',
    ]),
    ...[
      'ErrorExceededMaxRecipientLimit',
      'ErrorMessageSubmissionBlocked',
      'ErrorMessageBlocked',
      'ErrorAccountSuspend',
    ].map((code): [string, number, CauseCode] => [code, 403, 'sending_blocked']),
    ...[
      'ApplicationThrottled',
      'MailboxConcurrency',
      'TooManyRequests',
      'activityLimitReached',
      'throttledRequest',
      'ErrorTooManyObjectsOpened',
      'ErrorExceededConnectionCount',
    ].map((code): [string, number, CauseCode] => [code, 429, 'throttled']),
    ...[
      'ErrorMailboxStoreUnavailable',
      'ErrorMailboxFailover',
      'ErrorConnectionFailed',
      'ErrorServerBusy',
      'ErrorInsufficientResources',
      'ErrorTimeoutExpired',
      'ErrorInternalServerError',
      'ErrorInternalServerTransientError',
      'ErrorADUnavailable',
      'ErrorADOperation',
      'ErrorNotEnoughMemory',
      'generalException',
      'serviceNotAvailable',
      'InternalServerError',
      'ServiceUnavailable',
      'GatewayTimeout',
      'BadGateway',
    ].map((code): [string, number, CauseCode] => [code, 503, 'microsoft_unavailable']),
    // Ambiguous, from EWS only, or caused by a defect in Muster.
    ...[
      'ErrorItemNotFound',
      'ErrorFolderNotFound',
      'ErrorInvalidIdMalformed',
      'ErrorInvalidRecipients',
      'ErrorMissingRecipients',
      'ErrorMimeContentInvalidBase64String',
      'ErrorMessageSizeExceeded',
      'ErrorImpersonateUserDenied',
      'ErrorImpersonationDenied',
      'Authorization_RequestDenied',
      'AuthenticationError',
      'BadRequest',
      'ErrorThatMusterDoesNotKnow',
      '',
    ].map((code): [string, number, CauseCode] => [code, 403, 'unknown_refusal']),
  ];
  it.each(rows)('%s, %i: %s', (code, status, cause) => {
    expect(classify(refusal(code, status), { probe: 'graph.send', roles: ['Mail.Send'] })).toBe(cause);
  });

  it.each([
    ['[Reason - The key was not found., Thumbprint of key used by client: ', 'certificate_not_registered'],
    ['[Reason - The key used is expired., Thumbprint of key used by client: ', 'certificate_expired'],
    ['[Reason - The provided signature value did not match the expected signature value.', 'certificate_wrong'],
    ['[Reason - Key was found, but use of the key to verify the signature failed., ', 'certificate_wrong'],
    ['', 'certificate_wrong'],
  ])('AADSTS700027 %s: %s', (reason, cause) => {
    const message = `AADSTS700027: Client assertion contains an invalid signature. ${reason}`;
    expect(classify({ service: 'entra', status: 401, code: 'AADSTS700027', message })).toBe(cause);
  });

  it.each([
    ['AADSTS7000215', 'vendor_app_unusable'],
    ['AADSTS7000222', 'vendor_app_unusable'],
    ['AADSTS700213', 'vendor_app_unusable'],
    ['AADSTS700025', 'vendor_app_unusable'],
    ['vendor_app_not_configured', 'vendor_app_unusable'],
    ['AADSTS700016', 'service_principal_missing'],
    ['AADSTS7000229', 'service_principal_missing'],
    ['AADSTS7000112', 'app_disabled'],
    ['AADSTS90033', 'microsoft_unavailable'],
    ['admin_not_confirmed', 'admin_confirmation_missing'],
  ] as const)('of the vendor’s app blame no customer for its credential: %s → %s', (code, cause) => {
    const refusal = { service: 'entra', status: 400, code, message: '', isOfVendorApp: true } as const;
    expect(classify(refusal)).toBe(cause);
  });

  it('are all tested above', () => {
    const covered = new Set(rows.map(([code]) => code));
    expect(Object.keys(graphCodes).filter((code) => !covered.has(code))).toEqual([]);
  });

  it('that are unknown make a check inconclusive or wait, with any status', () => {
    const known = new Set([...Object.keys(graphCodes), ...denialCodes]);
    const status = fc.oneof(
      fc.integer({ min: 300, max: 599 }),
      fc.constantFrom(401, 403, 404, 424, 429, 503, 507, 509),
    );
    const unknown = fc
      .oneof(fc.string(), fc.constantFrom('toString', '__proto__', 'constructor'))
      .filter((code) => !known.has(code));
    fc.assert(
      fc.property(unknown, status, (code, at) => {
        const cause = classify(refusal(code, at), { probe: 'graph.readWrite', roles: [] });
        // 507 is the only status that has a cause on its own.
        if (at === 507) expect(cause).toBe('mailbox_full');
        else expect(isWaitCause(cause) || causes[cause].verdict === 'inconclusive').toBe(true);
      }),
    );
  });
});

describe('a denial', () => {
  const denied = refusal('ErrorAccessDenied', 403, 'Access is denied. Check credentials and try again.');
  const both = ['Mail.ReadWrite', 'Mail.Send'];
  const rows: [string, RefusalContext, CauseCode][] = [
    ['granted, and others pass', { roles: both, othersPassed: true }, 'mailbox_out_of_scope'],
    ['granted, and the mailbox opens', { roles: both, mailboxOpened: true }, 'mailbox_out_of_scope'],
    ['granted, and nothing opens', { roles: both }, 'mailbox_unlicensed_or_on_premises'],
    ['another grant only', { roles: ['Mail.ReadWrite'] }, 'permission_missing'],
    [
      'another grant only, and others pass by RBAC',
      { roles: ['Mail.ReadWrite'], othersPassed: true },
      'mailbox_out_of_scope',
    ],
    ['no grant', { roles: [] }, 'consent_missing'],
    ['no grant, and others pass by RBAC', { roles: [], othersPassed: true }, 'mailbox_out_of_scope'],
  ];
  it.each(rows)('%s: %o → %s', (_, context, cause) => {
    expect(classify(denied, { probe: 'graph.send', ...context })).toBe(cause);
  });

  it.each([...denialCodes])('%s is a denial, with any message', (code) => {
    const cause = classify(refusal(code, 403, 'A message that Muster does not know.'), {
      probe: 'graph.send',
      roles: both,
    });
    expect(causes[cause].verdict).toBe('failed');
  });

  it('is blamed on a policy only if Microsoft’s message names one', () => {
    const byPolicy = { ...denied, message: 'Access to OData is disabled: [RAOP] : Blocked by tenant configured …' };
    expect(classify(byPolicy, { probe: 'graph.send', roles: both, othersPassed: true })).toBe('access_policy_blocked');
    expect(classify(refusal('extensionError', 403), { probe: 'graph.send', roles: both })).toBe(
      'access_policy_blocked',
    );
  });

  it('with a 5xx status is a server error', () => {
    expect(classify({ ...denied, status: 503 }, { probe: 'graph.send', roles: both })).toBe('microsoft_unavailable');
  });
});

describe('recorded answers of Entra', () => {
  it.each(entraRecords)('$name ($grade): $cause', ({ status, body, code, cause }) => {
    const refused = readEntraRefusal(status, JSON.stringify(body), outerId);
    const { error, error_description } = body;
    expect(refused).toEqual({
      service: 'entra',
      status,
      code,
      family: error,
      message: error_description,
      requestId: innerId,
    });
    expect(classify(refused)).toBe(cause);
  });

  it.each([
    [429, '', 'throttled'],
    [503, '', 'microsoft_unavailable'],
    [502, '<html><h1>502 Bad Gateway</h1></html>', 'microsoft_unavailable'],
    [500, '{"error":', 'microsoft_unavailable'],
    [400, '<html></html>', 'unknown_refusal'],
    [401, '[]', 'unknown_refusal'],
    [401, '{"error":7,"error_codes":"x"}', 'unknown_refusal'],
  ])('%i without an error object is classified by its status: %s', (status, body, cause) => {
    const refused = readEntraRefusal(status, body, outerId);
    expect([classify(refused), refused.requestId]).toEqual([cause, outerId]);
  });

  it('reads the number from the text, and a number in quotes', () => {
    const read = (body: object) => readEntraRefusal(400, JSON.stringify(body)).code;
    expect(read({ error: 'invalid_grant', error_description: 'AADSTS53003: Access has been blocked.' })).toBe(
      'AADSTS53003',
    );
    expect(read({ error: 'invalid_client', error_codes: ['7000215'] })).toBe('AADSTS7000215');
    expect(read({ error: 'invalid_tenant' })).toBe('invalid_tenant');
  });
});

describe('Entra’s numbers', () => {
  const meanings: Partial<Record<CauseCode, number[]>> = {
    secret_wrong: [7000215],
    secret_expired: [7000222],
    certificate_wrong: [700021, 700211, 700212, 700213, 70025],
    clock_wrong: [700024],
    app_not_found: [700016, 700011, 700038],
    service_principal_missing: [7000229],
    app_disabled: [7000112, 1000031],
    app_misconfigured: [700025, 650056, 650057],
    tenant_not_found: [90002, 900023],
    wrong_cloud: [90038, 900432, 900382],
    conditional_access_blocked: [53003, 530032, 530035],
    consent_missing: [65001],
    service_missing: [500011, 650052],
    throttled: [50196, 90055],
    microsoft_unavailable: [50000, 50033, 90006, 90012, 90024, 90033, 90090],
    unknown_refusal: [
      70011, 700022, 28002, 28000, 7000218, 700023, 700229, 50034, 90013, 90014, 900144, 90023, 9002313, 90100, 90056,
      70003, 9001023, 1002016, 50128, 50059, 90019, 999_999,
    ],
  };
  const rows = Object.entries(meanings).flatMap(([cause, numbers]) =>
    numbers.map((number) => [number, cause] as const),
  );
  it.each(rows)('AADSTS%i: %s', (number, cause) => {
    const entra = {
      service: 'entra',
      status: 400,
      code: `AADSTS${number}`,
      family: 'invalid_request',
      message: '',
    } as const;
    expect(classify(entra)).toBe(cause);
  });

  it.each([
    ['[Reason - The key was not found., Thumbprint of key used by client: ', 'certificate_not_registered'],
    ['[Reason - The key used is expired., Thumbprint of key used by client: ', 'certificate_expired'],
    ['[Reason - The provided signature value did not match the expected signature value.', 'certificate_wrong'],
    ['[Reason - Key was found, but use of the key to verify the signature failed., ', 'certificate_wrong'],
    ['', 'certificate_wrong'],
  ])('AADSTS700027 %s: %s', (reason, cause) => {
    const message = `AADSTS700027: Client assertion contains an invalid signature. ${reason}`;
    expect(classify({ service: 'entra', status: 401, code: 'AADSTS700027', message })).toBe(cause);
  });

  it('are all tested above', () => {
    const ours = [
      ...['secret_not_in_vault', 'certificate_not_in_vault', 'made_certificate_expired'],
      ...['admin_not_confirmed', 'vendor_app_not_configured'],
    ];
    const covered = new Set([...rows.map(([number]) => `AADSTS${number}`), ...ours]);
    expect(Object.keys(entraCodes).filter((code) => !covered.has(code))).toEqual([]);
  });

  it.each(Object.entries(oauthErrors))(
    'that are unknown are classified by their OAuth error: %s → %s',
    (family, cause) => {
      const entra = { service: 'entra', status: 400, code: 'AADSTS999999', family, message: '' } as const;
      expect(classify(entra)).toBe(cause);
    },
  );
});
