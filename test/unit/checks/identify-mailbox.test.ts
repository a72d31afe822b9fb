import { beforeEach, expect, it } from 'vitest';
import type { Answer } from '../../../shared/checks/answer.ts';
import { createMailboxChecker } from '../../../shared/checks/check-mailbox.ts';
import type { Answers, GraphMail, Questions } from '../../../shared/checks/graph-mail.ts';
import type { CheckInput } from '../../../shared/checks/mailbox-checker.ts';
import type { Recipient, UsersRead } from '../../../shared/checks/recipients.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { inboxKeyOf } from '../../../shared/mailboxes/identity.ts';
import { aConnection } from '../../support/records.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const at = (name: string) => `${name}@contoso.example`;
const refused = (status: number, code: string) => ({
  kind: 'refused' as const,
  refusal: { service: 'graph' as const, status, code, message: '' },
});
const gone = refused(404, 'ErrorInvalidUser');
const opened: Answer<string> = { kind: 'accepted', value: 'inbox-of-jane' };
const passing: Answers = {
  inbox: opened,
  draft: { kind: 'accepted', value: 'draft-1' },
  send: refused(400, 'ErrorInvalidRecipients'),
};
const jane: Recipient = {
  kind: 'user',
  objectId: 'object-of-jane',
  primaryAddress: at('jane'),
  signInName: at('jdoe'),
};
const known = { objectId: 'object-of-jane', inboxKey: inboxKeyOf('inbox-of-jane') };

let roles: string[];
let asked: { address: string; questions: Questions }[];
let lookUps: { read: UsersRead | undefined; objectId: string | undefined }[];
let signedInAs: string[];
let answer: (address: string, questions: Questions) => Answers;
let recipient: Answer<Recipient>;

beforeEach(() => {
  roles = ['Mail.ReadWrite', 'Mail.Send'];
  asked = [];
  lookUps = [];
  signedInAs = [];
  answer = () => passing;
  recipient = { kind: 'accepted', value: { kind: 'nothing' } };
});

const signIn = async ({ address }: { address: string }): Promise<Answer> => {
  signedInAs.push(address);
  return { kind: 'accepted', value: undefined };
};
const graph: GraphMail = {
  async ask({ address }, _subject, questions) {
    asked.push({ address, questions });
    return answer(address, questions);
  },
  clear: async (_mailbox, _subject, ids) => ({
    removals: ids.map(() => ({ kind: 'accepted' as const, value: undefined })),
    found: { kind: 'accepted', value: [] },
  }),
};

function check(change: Partial<CheckInput> = {}) {
  const granted = async () => ({
    granted: true as const,
    value: { token: new Secret('t'), expiresAt: NOW, claims: { roles } },
  });
  const checker = createMailboxChecker({
    clock: { now: () => NOW },
    pause: async () => undefined,
    protocols: { imap: signIn, smtp: signIn },
    tokens: { get: granted, tryOut: granted, forget: () => undefined },
    recipients: {
      async lookUp(_mailbox, read, objectId) {
        lookUps.push({ read, objectId });
        return recipient;
      },
    },
    graph,
  });
  return checker.check({
    connection: aConnection(),
    address: at('jane'),
    draftSubject: 'Muster check imp_1 2',
    priorFindings: {},
    cleanFirst: false,
    ...change,
  });
}

it('knows a mailbox by its inbox, without a question more and without asking the directory', async () => {
  expect(await check()).toMatchObject({ kind: 'checked', identity: { inboxKey: known.inboxKey } });
  expect(asked).toMatchObject([{ questions: { owner: undefined } }]);
  expect(lookUps).toEqual([]);
});

it.each([
  ['User.ReadBasic.All', 'basic'],
  ['User.Read.All', 'full'],
  ['Directory.Read.All', 'full'],
])('with %s, asks in the same batch whose address it is', async (role, owner) => {
  roles.push(role);
  answer = () => ({ ...passing, owner: { kind: 'accepted', value: jane } });
  expect(await check()).toMatchObject({ identity: { ...known, primaryAddress: at('jane'), signInName: at('jdoe') } });
  expect(asked).toMatchObject([{ questions: { owner } }]);
});

it('an alias fails, a sign-in name passes', async () => {
  roles.push('User.Read.All');
  answer = () => ({ ...passing, owner: { kind: 'accepted', value: jane } });
  expect(await check({ address: at('alias') })).toMatchObject({
    findings: { 'graph.send': { verdict: 'failed', cause: 'address_is_alias' } },
  });
  expect(await check({ address: at('jdoe') })).toMatchObject({ findings: { 'graph.send': { verdict: 'passed' } } });
});

it('the former address of a mailbox that was renamed passes: it is how the connection calls it', async () => {
  roles.push('User.Read.All');
  answer = () => ({ ...passing, owner: { kind: 'accepted', value: jane } });
  expect(await check({ address: at('former'), knownAs: { objectId: 'object-of-jane' } })).toMatchObject({
    findings: { 'graph.send': { verdict: 'passed' } },
    identity: { primaryAddress: at('jane') },
  });
  expect(await check({ address: at('former'), knownAs: { objectId: 'object-of-omar' } })).toMatchObject({
    findings: { 'graph.send': { verdict: 'failed', cause: 'address_is_alias' } },
  });
});

it('a renamed mailbox whose former address is gone is found by its object ID and checked under its new address', async () => {
  roles.push('User.Read.All');
  answer = (address) =>
    address === at('former')
      ? { inbox: gone, draft: gone, send: gone, owner: { kind: 'accepted', value: { kind: 'nothing' } } }
      : { ...passing, owner: { kind: 'accepted', value: jane } };
  recipient = { kind: 'accepted', value: jane };
  const connection = aConnection({ probes: ['graph.readWrite', 'graph.send', 'imap'] });
  const outcome = await check({ connection, address: at('former'), knownAs: known });
  expect(outcome).toMatchObject({
    findings: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
    identity: { primaryAddress: at('jane') },
  });
  expect(asked.map(({ address }) => address)).toEqual([at('former'), at('jane')]);
  expect(lookUps).toEqual([{ read: 'full', objectId: 'object-of-jane' }]);
  expect(signedInAs).toEqual([at('jane')]);
});

it('an address that is gone fails if nothing known has a new address, and is not looked for for ever', async () => {
  roles.push('User.Read.All');
  answer = () => ({ inbox: gone, draft: gone, send: gone, owner: { kind: 'accepted', value: { kind: 'nothing' } } });
  expect(await check({ address: at('former'), knownAs: known })).toMatchObject({
    findings: { 'graph.send': { verdict: 'failed', cause: 'mailbox_not_found' } },
  });
  recipient = { kind: 'accepted', value: jane };
  expect(await check({ address: at('former'), knownAs: known })).toMatchObject({
    findings: { 'graph.send': { verdict: 'failed' } },
  });
  expect(asked.map(({ address }) => address)).toEqual([at('former'), at('former'), at('jane')]);
});

it('waits for the inbox if nothing else tells which mailbox passes, and not if a probe fails or the directory tells', async () => {
  const lost = { kind: 'lost' } as const;
  answer = () => ({ ...passing, inbox: lost });
  expect(await check()).toMatchObject({ kind: 'wait', priorFindings: { 'graph.send': { verdict: 'passed' } } });
  answer = () => ({ ...passing, inbox: lost, send: refused(403, 'ErrorMessageSubmissionBlocked') });
  expect(await check()).toMatchObject({ kind: 'checked' });
  roles.push('User.Read.All');
  answer = () => ({ ...passing, inbox: lost, owner: { kind: 'accepted', value: jane } });
  expect(await check()).toMatchObject({ kind: 'checked', identity: { objectId: 'object-of-jane' } });
});

it('a try that waits hands on which mailbox it has reached', async () => {
  const tooMany = refused(429, 'TooManyRequests');
  answer = () => ({ ...passing, send: tooMany });
  const first = await check();
  expect(first).toMatchObject({ kind: 'wait', identity: { inboxKey: known.inboxKey } });
  answer = () => ({ inbox: tooMany, send: passing.send ?? tooMany });
  const { priorFindings, identity } = first as Extract<typeof first, { kind: 'wait' }>;
  expect(await check({ priorFindings, ...(identity && { priorIdentity: identity }) })).toMatchObject({
    kind: 'checked',
    identity: { inboxKey: known.inboxKey },
  });
});

it('knows nothing of a mailbox that it may only send from', async () => {
  const denied = refused(403, 'ErrorAccessDenied');
  answer = () => ({ inbox: denied, send: passing.send ?? denied });
  expect(await check({ connection: aConnection({ probes: ['graph.send'] }) })).toMatchObject({
    kind: 'checked',
    findings: { 'graph.send': { verdict: 'passed' } },
    identity: {},
  });
});
