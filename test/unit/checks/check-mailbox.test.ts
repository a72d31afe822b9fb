import { beforeEach, expect, it } from 'vitest';
import { createMailboxChecker } from '../../../shared/checks/check-mailbox.ts';
import type { Answers, GraphMail } from '../../../shared/checks/graph-mail.ts';
import type { Connection } from '../../../shared/connections/connection.ts';
import type { Tokens } from '../../../shared/connections/tokens.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { Secret } from '../../../shared/kernel/secret.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const connection = {
  id: 'conn_1',
  cloud: 'global',
  probes: ['graph.readWrite', 'graph.send'],
  sendProbe: 'noDelivery',
} as unknown as Connection;
const MARKER = 'Muster check imp_1 2';
const sendPass: Answers['send'] = {
  kind: 'refused',
  refusal: { service: 'graph', status: 400, code: 'ErrorInvalidRecipients', message: '' },
};
const refused = (status: number, code: string) => ({
  kind: 'refused' as const,
  refusal: { service: 'graph' as const, status, code, message: '' },
});

/** A mailbox with what lies in it, and what happened to it. */
let items: Set<string>;
let asked: string[];
let respond: (questions: Parameters<GraphMail['ask']>[2]) => Answers;
let clearing: 'works' | 'throttled';
let tokenAnswers: (() => ReturnType<Tokens['get']>)[];

const granted = async () => ({
  granted: true as const,
  value: { token: new Secret('t'), expiresAt: NOW, shows: { roles: ['Mail.ReadWrite', 'Mail.Send'] } },
});

beforeEach(() => {
  items = new Set();
  asked = [];
  clearing = 'works';
  tokenAnswers = [];
  respond = (questions) => {
    items.add('draft-1');
    return {
      inbox: { kind: 'accepted', value: undefined },
      ...(questions.draft && { draft: { kind: 'accepted', value: 'draft-1' } }),
      ...(questions.send && sendPass && { send: sendPass }),
    };
  };
});

const checker = () =>
  createMailboxChecker({
    clock: { now: () => NOW },
    tokens: {
      get: () => (tokenAnswers.shift() ?? granted)(),
      tryOut: granted,
      forget: () => void asked.push('forget'),
    },
    recipients: { lookUp: async () => ({ kind: 'accepted', value: { kind: 'group' } }) },
    graph: {
      async ask(_mailbox, _marker, questions) {
        asked.push(`ask ${questions.draft ? 'draft ' : ''}${questions.send ? 'send' : ''}`.trim());
        return respond(questions);
      },
      async clear(_mailbox, _marker, ids) {
        asked.push('clear');
        if (clearing === 'throttled') {
          return { removals: ids.map(() => refused(429, 'TooManyRequests')), found: refused(429, 'TooManyRequests') };
        }
        for (const id of ids) items.delete(id);
        return {
          removals: ids.map(() => ({ kind: 'accepted' as const, value: undefined })),
          found: { kind: 'accepted', value: [...items] },
        };
      },
    },
  });

const check = (change: object = {}) =>
  checker().check({
    connection,
    address: 'jane@contoso.example',
    marker: MARKER,
    shown: {},
    cleanFirst: false,
    ...change,
  });

it('asks once and clears once where all is well, and leaves nothing', async () => {
  expect(await check()).toMatchObject({
    kind: 'checked',
    findings: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
  });
  expect(asked).toEqual(['ask draft send', 'clear']);
  expect(items.size).toBe(0);
});

it('finds a draft whose answer was lost by its marker, removes it, and asks again later', async () => {
  respond = () => {
    items.add('draft-unseen');
    return { inbox: { kind: 'accepted', value: undefined }, draft: { kind: 'lost' }, send: sendPass };
  };
  expect(await check()).toMatchObject({
    kind: 'wait',
    cause: 'microsoft_unavailable',
    shown: { 'graph.send': { verdict: 'passed' } },
  });
  expect(items.size).toBe(0);
});

it('removes what an earlier try left before it begins', async () => {
  items.add('draft-of-before');
  await check({ cleanFirst: true });
  expect(asked).toEqual(['clear', 'clear', 'ask draft send', 'clear']);
  expect(items.size).toBe(0);
});

it('asks only what earlier tries have not shown, and keeps what they have', async () => {
  const shown = { 'graph.readWrite': { verdict: 'passed' as const, checkedAt: NOW, requestId: 'of-before' } };
  expect(await check({ shown })).toMatchObject({ findings: { 'graph.readWrite': { requestId: 'of-before' } } });
  expect(asked[0]).toBe('ask send');
});

it('does not call a mailbox checked while a draft may lie in it', async () => {
  clearing = 'throttled';
  expect(await check()).toMatchObject({
    kind: 'wait',
    cause: 'throttled',
    shown: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
  });
});

it('does not look for leftovers where the app was not let in', async () => {
  respond = () => ({
    inbox: refused(403, 'ErrorAccessDenied'),
    draft: refused(403, 'ErrorAccessDenied'),
    send: refused(403, 'ErrorAccessDenied'),
  });
  expect(await check()).toMatchObject({ kind: 'checked' });
  expect(asked).toEqual(['ask draft send']);
});

it('asks with a fresh token once when Graph does not accept the first, and only once', async () => {
  const rejected = refused(401, 'InvalidAuthenticationToken');
  respond = () => ({ inbox: rejected, draft: rejected, send: rejected });
  expect(await check()).toMatchObject({ kind: 'connectionRefused', finding: { cause: 'token_rejected' } });
  expect(asked.filter((one) => one.startsWith('ask'))).toHaveLength(2);
  expect(asked).toContain('forget');
});

it('says nothing of a mailbox when the token is refused: that concerns the connection', async () => {
  const refusal = { service: 'entra' as const, status: 401, code: 'AADSTS7000222', message: '' };
  tokenAnswers = [async () => ({ granted: false, refusal })];
  expect(await check()).toMatchObject({
    kind: 'connectionRefused',
    finding: { cause: 'secret_expired', microsoftCode: 'AADSTS7000222' },
  });
  expect(asked).toEqual([]);
});

it('waits when Entra asks for it, and lets an outage of our own vault escape', async () => {
  tokenAnswers = [() => Promise.reject(new DomainError('microsoft_throttled', '…', { retryAfterSeconds: 60 }))];
  expect(await check()).toMatchObject({ kind: 'wait', cause: 'throttled', seconds: 60 });
  tokenAnswers = [() => Promise.reject(new DomainError('vault_unavailable', '…'))];
  await expect(check()).rejects.toMatchObject({ code: 'vault_unavailable' });
});

it('says what an address without a mailbox is', async () => {
  const unknown = refused(404, 'ErrorInvalidUser');
  respond = () => ({ inbox: unknown, draft: unknown, send: unknown });
  expect(await check()).toMatchObject({ findings: { 'graph.send': { verdict: 'failed', cause: 'address_is_group' } } });
});

it('skips the send probe where the connection does not want it', async () => {
  const silent = { ...connection, sendProbe: 'none' };
  expect(await check({ connection: silent })).toMatchObject({ findings: { 'graph.send': { verdict: 'skipped' } } });
  expect(asked[0]).toBe('ask draft');
});
