import { expect, it } from 'vitest';
import type { Answer } from '../../../../shared/checks/answer.ts';
import { readProtocol, readRights, readSend } from '../../../../shared/checks/scope-check/read-rights.ts';

const accepted: Answer = { kind: 'accepted', value: undefined };
const lost: Answer = { kind: 'lost' };
const refused = (status: number, code: string, message = ''): Answer => ({
  kind: 'refused',
  refusal: { service: 'graph', status, code, message },
});
const denied = refused(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
const blocked = refused(403, 'ErrorAccessDenied', 'Access to OData is disabled: [RAOP] : Blocked by …');
const absent = refused(404, 'ErrorItemNotFound');

const writeOf = (read: Answer, write: Answer) => readRights({ read, write, send: denied }).write;

it('writing is allowed if the mailbox opens and only the message is missing', () => {
  expect(writeOf(accepted, absent)).toMatchObject({ permission: 'Mail.ReadWrite', answer: 'allowed' });
  expect(writeOf(accepted, denied)).toMatchObject({ answer: 'refused' });
});

// Microsoft’s list of response codes: the item does not exist, or the caller is not permitted.
it('a missing message proves nothing where the mailbox does not open', () => {
  expect(writeOf(denied, absent)).toEqual({
    permission: 'Mail.ReadWrite',
    answer: 'refused',
    microsoftCode: 'ErrorItemNotFound',
  });
  expect(writeOf(blocked, absent)).toMatchObject({ answer: 'refused', byPolicy: true });
  expect(writeOf(lost, absent)).toMatchObject({ answer: 'inconclusive', cause: 'microsoft_unavailable' });
  expect(writeOf(refused(404, 'ErrorInvalidUser'), absent)).toMatchObject({
    answer: 'inconclusive',
    cause: 'mailbox_not_found',
  });
});

it.each([
  ['no answer', lost, 'microsoft_unavailable'],
  ['throttling', refused(429, 'TooManyRequests'), 'throttled'],
  ['a server error', refused(503, 'ErrorAccessDenied'), 'microsoft_unavailable'],
  ['an address without a mailbox', refused(404, 'MailboxNotEnabledForRESTAPI'), 'mailbox_unlicensed_or_on_premises'],
  ['a mailbox that may be on premises', refused(403, 'extensionError'), 'unknown_refusal'],
  ['a refusal that nobody knows', refused(403, 'ErrorOfTomorrow'), 'unknown_refusal'],
  ['a malformed ID', refused(400, 'ErrorInvalidIdMalformed'), 'unknown_refusal'],
])('%s is never a refusal of the app', (_, answer, cause) => {
  const { read, write, send } = readRights({ read: answer, write: answer, send: answer });
  for (const finding of [read, write, send]) expect(finding).toMatchObject({ answer: 'inconclusive', cause });
});

it('sending is allowed only if Microsoft misses the recipients, or takes the message', () => {
  expect(readSend(refused(400, 'ErrorInvalidRecipients')).answer).toBe('allowed');
  expect(readSend(accepted).answer).toBe('allowed');
  expect(readSend(denied).answer).toBe('refused');
  expect(readSend(refused(400, 'BadRequest')).answer).toBe('inconclusive');
  expect(readSend(absent).answer).toBe('inconclusive');
});

it('IMAP and SMTP refuse the app, or say nothing about its rights', () => {
  const imap = (message: string): Answer => ({
    kind: 'refused',
    refusal: { service: 'imap', status: 0, code: 'NO', message },
  });
  expect(readProtocol('IMAP.AccessAsApp', accepted).answer).toBe('allowed');
  expect(readProtocol('IMAP.AccessAsApp', imap('AUTHENTICATE failed.')).answer).toBe('refused');
  expect(readProtocol('IMAP.AccessAsApp', imap('User is authenticated but not connected.'))).toMatchObject({
    answer: 'inconclusive',
    cause: 'imap_disabled',
  });
});
