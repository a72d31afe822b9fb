import { expect, it } from 'vitest';
import type { Answer } from '../../../../shared/checks/answer.ts';
import { type AskMailboxDeps, askMailbox } from '../../../../shared/checks/scope-check/ask-mailbox.ts';
import { Secret } from '../../../../shared/kernel/secret.ts';
import { aConnection } from '../../../support/records.ts';

const refused = (status: number, code: string, retryAfterSeconds?: number): Answer => ({
  kind: 'refused',
  refusal: { service: 'graph', status, code, message: '', ...(retryAfterSeconds && { retryAfterSeconds }) },
});
const denied = refused(403, 'ErrorAccessDenied');
const noRecipients = refused(400, 'ErrorInvalidRecipients');

/** Asks a mailbox that gives these answers. Tells what was seen of sending, and which calls were made. */
async function ask(draft: Answer, message: Answer) {
  const calls: string[] = [];
  const deps: AskMailboxDeps = {
    offLimitsMail: {
      async ask() {
        calls.push('draft');
        return { read: denied, write: denied, send: draft };
      },
      async sendToNobody() {
        calls.push('message');
        return message;
      },
    },
    graph: {
      async clear(_mailbox, subject, _ids, scope) {
        calls.push(`clear ${scope} ${subject}`);
        return { removals: [], found: { kind: 'accepted', value: [] } };
      },
    },
    protocols: { imap: async () => denied, smtp: async () => denied },
  };
  const { findings, ...rest } = await askMailbox(deps, aConnection(), 'ceo@contoso.com', {
    graph: new Secret('token'),
  });
  return { send: findings.find(({ permission }) => permission === 'Mail.Send')?.answer, calls, ...rest };
}

it('a refusal to send counts only if it is also the answer to a message without recipients', async () => {
  expect(await ask(denied, denied)).toEqual({ send: 'refused', calls: ['draft', 'message'] });
  expect(await ask(denied, refused(503, 'ErrorServerBusy'))).toMatchObject({ send: 'inconclusive' });
});

it('what Exchange may have kept of that message is removed, if the app may send after all', async () => {
  const clear = 'clear drafts Muster scope check conn_1';
  expect(await ask(denied, noRecipients)).toEqual({ send: 'allowed', calls: ['draft', 'message', clear] });
  expect(await ask(refused(400, 'ErrorInvalidIdMalformed'), noRecipients)).toMatchObject({ send: 'allowed' });
});

it('no message is sent where the first answer decides, or where Microsoft wants to be left alone', async () => {
  const only = ['draft'];
  expect(await ask(refused(404, 'ErrorItemNotFound'), denied)).toEqual({ send: 'allowed', calls: only });
  expect(await ask(refused(404, 'ErrorInvalidUser'), denied)).toEqual({ send: 'inconclusive', calls: only });
  expect(await ask(refused(429, 'TooManyRequests', 17), denied)).toEqual({
    ...{ send: 'inconclusive', calls: only },
    retryAfterSeconds: 17,
  });
});
