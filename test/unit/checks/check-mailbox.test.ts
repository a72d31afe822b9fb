import { beforeEach, describe, expect, it } from 'vitest';
import { createMailboxChecker } from '../../../shared/checks/check-mailbox.ts';
import type { Answer } from '../../../shared/checks/graph-answer.ts';
import type { Answers, GraphMail } from '../../../shared/checks/graph-mail.ts';
import type { Tokens } from '../../../shared/connections/tokens.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { aConnection } from '../../support/records.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const connection = aConnection();
const MARKER = 'Muster check imp_1 2';
const sendPass: Answers['send'] = {
  kind: 'refused',
  refusal: { service: 'graph', status: 400, code: 'ErrorInvalidRecipients', message: '' },
};
const whatIs = (id: string) => (id.startsWith('message') ? 'message' : id.startsWith('report') ? 'report' : 'draft');
const refused = (status: number, code: string) => ({
  kind: 'refused' as const,
  refusal: { service: 'graph' as const, status, code, message: '' },
});

/** A mailbox with what lies in it, and what happened to it. */
let items: Set<string>;
let asked: string[];
let respond: (questions: Parameters<GraphMail['ask']>[2]) => Answers;
let clearing: 'works' | 'throttled' | 'moving';
let now: Date;
let imapAnswer: Answer;
let smtpAnswer: Answer;
let onPause: () => void;
let tokenAnswers: (() => ReturnType<Tokens['get']>)[];

const granted = async () => ({
  granted: true as const,
  value: { token: new Secret('t'), expiresAt: NOW, claims: { roles: ['Mail.ReadWrite', 'Mail.Send'] } },
});

beforeEach(() => {
  items = new Set();
  asked = [];
  clearing = 'works';
  tokenAnswers = [];
  now = NOW;
  imapAnswer = { kind: 'accepted', value: undefined };
  smtpAnswer = { kind: 'accepted', value: undefined };
  onPause = () => undefined;
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
    clock: { now: () => now },
    pause: async () => void onPause(),
    protocols: {
      async imap() {
        asked.push('imap');
        return imapAnswer;
      },
      async smtp() {
        asked.push('smtp');
        return smtpAnswer;
      },
    },
    tokens: {
      get: (_connection, audience) => {
        if (audience === 'exchange') asked.push('token exchange');
        return (tokenAnswers.shift() ?? granted)();
      },
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
        if (clearing === 'moving') return { removals: [], found: refused(503, 'ErrorMailboxMoveInProgress') };
        for (const id of ids) items.delete(id);
        return {
          removals: ids.map(() => ({ kind: 'accepted' as const, value: undefined })),
          found: { kind: 'accepted', value: [...items].map((id) => ({ id, what: whatIs(id) })) },
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

it('learns whether a mailbox on the move may send although it cannot be looked through meanwhile', async () => {
  clearing = 'moving';
  const moving = refused(503, 'ErrorMailboxMoveInProgress');
  respond = () => ({ inbox: moving, draft: moving, send: sendPass });
  expect(await check({ cleanFirst: true })).toMatchObject({
    kind: 'wait',
    cause: 'mailbox_moving',
    shown: { 'graph.send': { verdict: 'passed' } },
  });
  asked.length = 0;
  const itself = { connection: { ...connection, sendProbe: 'selfAddressed' } };
  expect(await check({ cleanFirst: true, ...itself })).toMatchObject({
    kind: 'wait',
    cause: 'mailbox_moving',
    shown: {},
  });
  expect(asked).toEqual(['clear']);
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

describe('IMAP and SMTP', () => {
  const byAll = aConnection({ probes: ['graph.readWrite', 'graph.send', 'imap', 'smtp'] });
  const byProtocols = aConnection({ probes: ['imap', 'smtp'] });
  const said = (service: 'imap' | 'smtp', status: number, code: string, message: string): Answer => ({
    kind: 'refused',
    refusal: { service, status, code, message },
  });

  it('are asked after Graph, one after the other, with a token of their own', async () => {
    const outcome = await check({ connection: byAll });
    expect(asked).toEqual(['ask draft send', 'clear', 'token exchange', 'imap', 'token exchange', 'smtp']);
    expect(outcome).toMatchObject({
      kind: 'checked',
      findings: {
        'graph.readWrite': { verdict: 'passed' },
        'graph.send': { verdict: 'passed' },
        imap: { verdict: 'passed' },
        smtp: { verdict: 'passed' },
      },
    });
  });

  it('need nothing of Graph where nothing else is asked', async () => {
    await check({ connection: byProtocols });
    expect(asked).toEqual(['token exchange', 'imap', 'token exchange', 'smtp']);
  });

  it('are not asked again for what they have shown', async () => {
    const shown = { imap: { verdict: 'passed' as const, checkedAt: NOW } };
    await check({ connection: byProtocols, shown });
    expect(asked).toEqual(['token exchange', 'smtp']);
  });

  it('fail each for itself', async () => {
    imapAnswer = said('imap', 0, 'NO', 'AUTHENTICATE failed.');
    const outcome = await check({ connection: byProtocols });
    expect(outcome).toMatchObject({
      kind: 'checked',
      findings: { imap: { verdict: 'failed', cause: 'imap_access_missing' }, smtp: { verdict: 'passed' } },
    });
  });

  it('take a sign-in that opens no mailbox for a switch that is off only once it has come again', async () => {
    imapAnswer = said('imap', 0, 'BAD', 'User is authenticated but not connected.');
    expect(await check({ connection: byProtocols, tries: 1 })).toMatchObject({ kind: 'wait', shown: {} });
    expect(await check({ connection: byProtocols, tries: 2 })).toMatchObject({
      findings: { imap: { verdict: 'failed', cause: 'imap_disabled' } },
    });
  });

  it('wait when there is no answer, and keep what is known', async () => {
    smtpAnswer = { kind: 'lost' };
    expect(await check({ connection: byProtocols })).toMatchObject({
      kind: 'wait',
      cause: 'microsoft_unavailable',
      shown: { imap: { verdict: 'passed' } },
    });
  });

  it('are one finding of the connection when Exchange Online gives no token', async () => {
    tokenAnswers = [
      async () => ({
        granted: false,
        refusal: { service: 'entra', status: 400, code: 'AADSTS500011', message: '' },
      }),
    ];
    expect(await check({ connection: byProtocols })).toMatchObject({
      kind: 'connectionRefused',
      finding: { cause: 'service_missing' },
    });
  });
});

describe('a message that the mailbox sends to itself', () => {
  const toItself = aConnection({ sendProbe: 'selfAddressed' });
  const accepted: Answer = { kind: 'accepted', value: undefined, requestId: 'r-1' };
  const sending = (send: Answer, arrives: string[] = []) => {
    respond = (questions) => {
      if (questions.draft) items.add('draft-1');
      if (questions.send) for (const id of arrives) items.add(id);
      return {
        inbox: { kind: 'accepted', value: undefined },
        ...(questions.draft && { draft: { kind: 'accepted', value: 'draft-1' } }),
        ...(questions.send && { send }),
      };
    };
  };

  it('passes once it has come in, and is removed', async () => {
    sending(accepted, ['message-1']);
    expect(await check({ connection: toItself })).toMatchObject({
      findings: { 'graph.send': { verdict: 'passed', requestId: 'r-1' }, 'graph.readWrite': { verdict: 'passed' } },
    });
    expect([...items]).toEqual([]);
  });

  it('is looked for again within two seconds', async () => {
    sending(accepted);
    let looks = 0;
    onPause = () => ++looks === 2 && items.add('message-1');
    expect(await check({ connection: toItself })).toMatchObject({ findings: { 'graph.send': { verdict: 'passed' } } });
    expect([...items]).toEqual([]);
  });

  it('is waited for, not sent again, when it has not come in', async () => {
    sending(accepted);
    const first = await check({ connection: toItself });
    expect(first).toMatchObject({
      kind: 'wait',
      seconds: 10,
      shown: { 'graph.send': { verdict: 'inconclusive', cause: 'message_not_delivered', sentAt: NOW } },
    });
    if (first.kind !== 'wait') throw new Error('no wait');
    asked = [];
    items.add('message-1');
    expect(await check({ connection: toItself, shown: first.shown, cleanFirst: true })).toMatchObject({
      kind: 'checked',
      findings: { 'graph.send': { verdict: 'passed' } },
    });
    expect(asked.filter((one) => one.includes('send'))).toEqual([]);
    expect([...items]).toEqual([]);
  });

  it('is inconclusive when it has not come in for five minutes', async () => {
    sending(accepted);
    const first = await check({ connection: toItself });
    if (first.kind !== 'wait') throw new Error('no wait');
    now = new Date(NOW.getTime() + 301_000);
    expect(await check({ connection: toItself, shown: first.shown, cleanFirst: true })).toMatchObject({
      kind: 'checked',
      findings: { 'graph.send': { verdict: 'inconclusive', cause: 'message_not_delivered' } },
    });
  });

  it('fails when the report comes in instead, and the report is removed', async () => {
    sending(accepted, ['report-1']);
    expect(await check({ connection: toItself })).toMatchObject({
      findings: { 'graph.send': { verdict: 'failed', cause: 'sending_blocked' } },
    });
    expect([...items]).toEqual([]);
  });

  it('passes when the answer was lost but it has come in, and is sent again only when it has not', async () => {
    sending({ kind: 'lost' }, ['message-1']);
    expect(await check({ connection: toItself })).toMatchObject({ findings: { 'graph.send': { verdict: 'passed' } } });
    sending({ kind: 'lost' });
    const lost = await check({ connection: toItself });
    expect(lost).toMatchObject({ kind: 'wait', cause: 'microsoft_unavailable' });
    if (lost.kind !== 'wait') throw new Error('no wait');
    expect(lost.shown['graph.send']).toBeUndefined();
    items.add('message-late');
    asked = [];
    expect(await check({ connection: toItself, shown: lost.shown, cleanFirst: true })).toMatchObject({
      findings: { 'graph.send': { verdict: 'passed' } },
    });
    expect(asked.filter((one) => one.includes('send'))).toEqual([]);
  });

  it('takes being told that recipients are missing for no pass', async () => {
    sending(refused(400, 'ErrorInvalidRecipients'));
    expect(await check({ connection: toItself })).toMatchObject({
      findings: { 'graph.send': { verdict: 'inconclusive', cause: 'unknown_refusal' } },
    });
  });
});

it('waits for what was not answered beside the probes, for it may change what is said of them', async () => {
  respond = (questions) => ({
    inbox: { kind: 'accepted', value: undefined },
    ...(questions.draft && { draft: { kind: 'accepted', value: 'draft-1' } }),
    ...(questions.send && sendPass && { send: sendPass }),
    owner: refused(429, 'TooManyRequests'),
  });
  expect(await check({})).toMatchObject({
    kind: 'wait',
    cause: 'throttled',
    shown: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
  });
});

it('believes that a mailbox does not exist at all only when it is told so twice', async () => {
  respond = () => ({
    inbox: refused(404, 'ErrorNonExistentMailbox'),
    draft: refused(404, 'ErrorNonExistentMailbox'),
    send: refused(404, 'ErrorNonExistentMailbox'),
  });
  expect(await check({})).toMatchObject({ kind: 'wait' });
  expect(await check({ tries: 1 })).toMatchObject({ findings: { 'graph.send': { verdict: 'failed' } } });
});

it('asks once more with a fresh token when a 401 does not say what is wrong', async () => {
  let times = 0;
  const usual = respond;
  respond = (questions) => {
    if (++times > 1) return usual(questions);
    return {
      inbox: refused(401, 'UnknownError'),
      draft: refused(401, 'UnknownError'),
      send: refused(401, 'UnknownError'),
    };
  };
  expect(await check({})).toMatchObject({ findings: { 'graph.send': { verdict: 'passed' } } });
  expect(asked).toContain('forget');
});
