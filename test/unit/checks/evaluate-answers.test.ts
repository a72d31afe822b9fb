import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../shared/checks/answer.ts';
import { evaluateAnswers } from '../../../shared/checks/evaluate-answers.ts';
import type { Answers } from '../../../shared/checks/graph-mail.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const BOTH = ['Mail.ReadWrite', 'Mail.Send'];
const yes: Answer = { kind: 'accepted', value: undefined };
const opened: Answer<string> = { kind: 'accepted', value: 'AAMkInbox' };
const draft: Answer<string> = { kind: 'accepted', value: 'AAMk' };
const no = (
  status: number,
  code: string,
  message = '',
  retryAfterSeconds?: number,
): Extract<Answer, { kind: 'refused' }> => ({
  kind: 'refused',
  refusal: {
    service: 'graph',
    status,
    code,
    message,
    requestId: 'r-1',
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  },
});
const sendPass = no(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
const evaluate = (answers: Partial<Answers>, roles: readonly string[] = BOTH) =>
  evaluateAnswers({ inbox: opened, draft, send: sendPass, ...answers }, roles, NOW);

it('passes write on a draft, and send on a refusal for missing recipients only', () => {
  const { findings, wait, connection } = evaluate({});
  expect(findings).toMatchObject({
    'graph.readWrite': { verdict: 'passed' },
    'graph.send': { verdict: 'passed', requestId: 'r-1' },
  });
  expect([wait, connection]).toEqual([undefined, undefined]);
});

it('gives each permission its own verdict', () => {
  const { findings } = evaluate({ draft: no(403, 'ErrorAccessDenied') }, ['Mail.Send']);
  expect(findings).toMatchObject({
    'graph.readWrite': { verdict: 'failed', cause: 'permission_missing', microsoftCode: 'ErrorAccessDenied' },
    'graph.send': { verdict: 'passed' },
  });
});

// Graph also answers 400 if it cannot read the body. That must not count as a right to send.
it.each(['BadRequest', 'ErrorInvalidRequest', 'ErrorMimeContentInvalidBase64String', ''])(
  'does not count 400 %s as a right to send',
  (code) => {
    expect(evaluate({ send: no(400, code) }).findings['graph.send']).toMatchObject({
      verdict: 'inconclusive',
      cause: 'unknown_refusal',
    });
  },
);

it('does not count the right code with another status as a right to send', () => {
  expect(evaluate({ send: no(403, 'ErrorInvalidRecipients') }).findings['graph.send']?.verdict).not.toBe('passed');
});

it('stops the connection if Microsoft accepts a message without recipients', () => {
  expect(evaluate({ send: yes }).connection).toMatchObject({ cause: 'send_probe_delivered' });
});

const RAOP = 'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.';

describe('a 403 is explained by the token and by what the app could open', () => {
  const denied = no(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  it.each([
    ['no role', [], { inbox: denied, draft: denied, send: denied }, 'consent_missing'],
    ['another role', ['User.Read.All'], { inbox: denied, draft: denied, send: denied }, 'permission_missing'],
    [
      'the role, and nothing let in',
      BOTH,
      { inbox: denied, draft: denied, send: denied },
      'mailbox_unlicensed_or_on_premises',
    ],
    ['the role, and the mailbox open', BOTH, { draft: denied, send: denied }, 'mailbox_out_of_scope'],
    ['a policy', BOTH, { draft: no(403, 'ErrorAccessDenied', RAOP), send: denied }, 'access_policy_blocked'],
  ] as const)('%s', (_, roles, answers, cause) => {
    const evaluation = evaluate(answers, roles);
    expect(evaluation.findings['graph.readWrite']).toMatchObject({ verdict: 'failed', cause });
    // A denial of one mailbox is never a finding of the connection: others may pass through RBAC.
    expect(evaluation.connection).toBeUndefined();
  });
});

it.each([
  [404, 'ErrorInvalidUser', 'mailbox_not_found'],
  [404, 'ResourceNotFound', 'mailbox_unlicensed_or_on_premises'],
  [404, 'MailboxNotEnabledForRESTAPI', 'mailbox_unlicensed_or_on_premises'],
  [507, 'ErrorQuotaExceeded', 'mailbox_full'],
  [507, '', 'mailbox_full'],
  [403, 'ErrorAccountDisabled', 'mailbox_disabled'],
] as const)('names the cause of %i %s: %s', (status, code, cause) => {
  expect(evaluate({ draft: no(status, code) }).findings['graph.readWrite']).toMatchObject({ verdict: 'failed', cause });
});

it('is inconclusive for an unknown code, and keeps the code and the request ID', () => {
  const { findings } = evaluate({ draft: no(403, 'ErrorOfTomorrow') });
  expect(findings['graph.readWrite']).toMatchObject({
    verdict: 'inconclusive',
    cause: 'unknown_refusal',
    microsoftCode: 'ErrorOfTomorrow',
    requestId: 'r-1',
  });
});

describe('a wait', () => {
  it('is not a verdict: other findings are kept, and the longest time counts', () => {
    const evaluation = evaluate({ draft: no(429, 'ApplicationThrottled', '', 3), send: no(503, '', '', 12) });
    expect(evaluation.findings).toEqual({});
    expect(evaluation.wait).toMatchObject({ cause: 'microsoft_unavailable', seconds: 12 });
    const half = evaluate({ draft: no(429, 'TooManyRequests', '', 7) });
    expect(half.findings).toMatchObject({ 'graph.send': { verdict: 'passed' } });
    expect(half.wait).toMatchObject({ cause: 'throttled', seconds: 7, microsoftCode: 'TooManyRequests' });
  });
  it('has no time if Microsoft named none, and an hour for a move', () => {
    expect(evaluate({ send: no(504, 'UnknownError') }).wait?.seconds).toBeUndefined();
    expect(evaluate({ draft: no(503, 'ErrorMailboxMoveInProgress') }).wait).toMatchObject({
      cause: 'mailbox_moving',
      seconds: 3600,
    });
  });
  it('follows a lost answer', () => {
    expect(evaluate({ draft: { kind: 'lost' } }).wait).toMatchObject({ cause: 'microsoft_unavailable' });
  });
});

it.each([
  [401, 'InvalidAuthenticationToken', 'token_rejected'],
  [403, 'Authorization_IdentityNotFound', 'service_principal_missing'],
] as const)('is a finding of the connection for %i %s', (status, code, cause) => {
  const answer = no(status, code);
  expect(evaluate({ inbox: answer, draft: answer, send: answer }).connection).toMatchObject({
    cause,
    requestId: 'r-1',
    seenAt: NOW,
  });
});
