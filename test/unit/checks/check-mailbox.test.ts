import { beforeEach, describe, expect, it } from 'vitest';
import { probes } from '../../../shared/causes/verdict.ts';
import type { Answer } from '../../../shared/checks/answer.ts';
import { createMailboxChecker } from '../../../shared/checks/check-mailbox.ts';
import type { Answers, GraphMail } from '../../../shared/checks/graph-mail.ts';
import type { Tokens } from '../../../shared/connections/tokens.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { aConnection } from '../../support/records.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const connection = aConnection();
const DRAFT_SUBJECT = 'Muster check imp_1 2';
const sendPass: Answers['send'] = {
  kind: 'refused',
  refusal: { service: 'graph', status: 400, code: 'ErrorInvalidRecipients', message: '' },
};
const kindOfItem = (id: string) =>
  id.startsWith('message') ? 'message' : id.startsWith('report') ? 'report' : 'draft';
const refused = (status: number, code: string) => ({
  kind: 'refused' as const,
  refusal: { service: 'graph' as const, status, code, message: '' },
});

/** The ids of the items in the mailbox, and the requests that were made. */
let items: Set<string>;
let asked: string[];
let respond: (questions: Parameters<GraphMail['ask']>[2]) => Answers;
let cleanup: 'works' | 'throttled' | 'moving' | 'refused';
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
  cleanup = 'works';
  tokenAnswers = [];
  now = NOW;
  imapAnswer = { kind: 'accepted', value: undefined };
  smtpAnswer = { kind: 'accepted', value: undefined };
  onPause = () => undefined;
  respond = (questions) => {
    items.add('draft-1');
    return {
      inbox: { kind: 'accepted', value: 'inbox-of-jane' },
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
      async ask(_mailbox, _draftSubject, questions) {
        asked.push(`ask ${questions.draft ? 'draft ' : ''}${questions.send ? 'send' : ''}`.trim());
        return respond(questions);
      },
      async clear(_mailbox, _draftSubject, ids) {
        asked.push('clear');
        if (cleanup === 'throttled') {
          return { removals: ids.map(() => refused(429, 'TooManyRequests')), found: refused(429, 'TooManyRequests') };
        }
        if (cleanup === 'refused') return { removals: [], found: refused(401, 'InvalidAuthenticationToken') };
        if (cleanup === 'moving') return { removals: [], found: refused(503, 'ErrorMailboxMoveInProgress') };
        for (const id of ids) items.delete(id);
        return {
          removals: ids.map(() => ({ kind: 'accepted' as const, value: undefined })),
          found: { kind: 'accepted', value: [...items].map((id) => ({ id, what: kindOfItem(id) })) },
        };
      },
    },
  });

const check = (change: object = {}) =>
  checker().check({
    connection,
    address: 'jane@contoso.example',
    draftSubject: DRAFT_SUBJECT,
    priorFindings: {},
    cleanFirst: false,
    ...change,
  });

it('asks once, cleans up once and leaves nothing if everything succeeds', async () => {
  expect(await check()).toMatchObject({
    kind: 'checked',
    findings: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
  });
  expect(asked).toEqual(['ask draft send', 'clear']);
  expect(items.size).toBe(0);
});

it('finds a draft by its subject if the answer was lost, removes it, and asks again later', async () => {
  respond = () => {
    items.add('draft-unseen');
    return { inbox: { kind: 'accepted', value: 'inbox-of-jane' }, draft: { kind: 'lost' }, send: sendPass };
  };
  expect(await check()).toMatchObject({
    kind: 'wait',
    cause: 'microsoft_unavailable',
    priorFindings: { 'graph.send': { verdict: 'passed' } },
  });
  expect(items.size).toBe(0);
});

it('removes what an earlier try left together with its own draft', async () => {
  items.add('draft-of-before');
  await check({ cleanFirst: true });
  expect(asked).toEqual(['ask draft send', 'clear', 'clear']);
  expect(items.size).toBe(0);
});

it('removes what an earlier try left although nothing new is written', async () => {
  items.add('draft-of-before');
  const denied = refused(403, 'ErrorAccessDenied');
  respond = () => ({ inbox: denied, draft: denied, send: denied });
  await check({ cleanFirst: true });
  expect(items.size).toBe(0);
});

it('asks nothing a second time if only the cleanup had to wait', async () => {
  cleanup = 'throttled';
  const first = await check();
  expect(first).toMatchObject({ kind: 'wait', priorKind: 'unknown', mayHaveLeftovers: true });
  cleanup = 'works';
  asked = [];
  const { priorFindings, priorKind } = first as Extract<typeof first, { kind: 'wait' }>;
  expect(await check({ cleanFirst: true, priorFindings, priorKind })).toMatchObject({
    kind: 'checked',
    findings: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
  });
  expect(asked).toEqual(['clear', 'clear']);
  expect(items.size).toBe(0);
});

it('repeats no probe that has a finding, and keeps the finding', async () => {
  const priorFindings = { 'graph.readWrite': { verdict: 'passed' as const, checkedAt: NOW, requestId: 'of-before' } };
  expect(await check({ priorFindings })).toMatchObject({ findings: { 'graph.readWrite': { requestId: 'of-before' } } });
  expect(asked[0]).toBe('ask send');
});

it('does not count a mailbox as checked while a draft may be in it', async () => {
  cleanup = 'throttled';
  expect(await check()).toMatchObject({
    kind: 'wait',
    cause: 'throttled',
    priorFindings: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
  });
});

it('does not count a mailbox as checked if the connection is refused while its message is looked for', async () => {
  cleanup = 'refused';
  const passed = { verdict: 'passed' as const, checkedAt: NOW };
  const outcome = await check({
    connection: { ...connection, sendProbe: 'selfAddressed' },
    cleanFirst: true,
    priorFindings: { 'graph.readWrite': passed, 'graph.send': passed },
    priorKind: 'user',
  });
  expect(outcome).toMatchObject({ kind: 'wait', priorKind: 'user', mayHaveLeftovers: true });
});

it('says whether the next try has to clean up, and counts answers as Microsoft counts requests', async () => {
  const tooMany = refused(429, 'TooManyRequests');
  respond = () => ({ inbox: { kind: 'accepted', value: 'inbox-of-jane' }, draft: tooMany, send: tooMany });
  const clean = await check();
  expect(clean).toMatchObject({ kind: 'wait', cause: 'throttled', counts: { accepted: 1, throttled: 2 } });
  expect(clean).not.toHaveProperty('mayHaveLeftovers');
  respond = () => ({ inbox: { kind: 'lost' }, draft: { kind: 'lost' }, send: { kind: 'lost' } });
  expect(await check()).toMatchObject({ kind: 'wait', mayHaveLeftovers: true });
});

it('asks whether a moving mailbox may send, although it cannot be searched', async () => {
  cleanup = 'moving';
  const moving = refused(503, 'ErrorMailboxMoveInProgress');
  respond = () => ({ inbox: moving, draft: moving, send: sendPass });
  expect(await check({ cleanFirst: true })).toMatchObject({
    kind: 'wait',
    cause: 'mailbox_moving',
    priorFindings: { 'graph.send': { verdict: 'passed' } },
  });
  asked.length = 0;
  const itself = { connection: { ...connection, sendProbe: 'selfAddressed' } };
  expect(await check({ cleanFirst: true, ...itself })).toMatchObject({
    kind: 'wait',
    cause: 'mailbox_moving',
    priorFindings: {},
  });
  expect(asked).toEqual(['clear']);
});

it('does not look for leftovers if Microsoft refused access', async () => {
  respond = () => ({
    inbox: refused(403, 'ErrorAccessDenied'),
    draft: refused(403, 'ErrorAccessDenied'),
    send: refused(403, 'ErrorAccessDenied'),
  });
  expect(await check()).toMatchObject({ kind: 'checked' });
  expect(asked).toEqual(['ask draft send']);
});

it('tries once more with a new token if Graph rejects the first one, and only once', async () => {
  const rejected = refused(401, 'InvalidAuthenticationToken');
  respond = () => ({ inbox: rejected, draft: rejected, send: rejected });
  expect(await check()).toMatchObject({ kind: 'connectionRefused', finding: { cause: 'token_rejected' } });
  expect(asked.filter((one) => one.startsWith('ask'))).toHaveLength(2);
  expect(asked).toContain('forget');
});

it('reports a refused token as a finding of the connection, not of the mailbox', async () => {
  const refusal = { service: 'entra' as const, status: 401, code: 'AADSTS7000222', message: '' };
  tokenAnswers = [async () => ({ granted: false, refusal })];
  expect(await check()).toMatchObject({
    kind: 'connectionRefused',
    finding: { cause: 'secret_expired', microsoftCode: 'AADSTS7000222' },
  });
  expect(asked).toEqual([]);
});

it('waits if Entra throttles, and throws if the vault is unavailable', async () => {
  tokenAnswers = [() => Promise.reject(new DomainError('microsoft_throttled', '…', { retryAfterSeconds: 60 }))];
  expect(await check()).toMatchObject({ kind: 'wait', cause: 'throttled', seconds: 60 });
  tokenAnswers = [() => Promise.reject(new DomainError('vault_unavailable', '…'))];
  await expect(check()).rejects.toMatchObject({ code: 'vault_unavailable' });
});

it('explains an address that has no mailbox', async () => {
  const unknown = refused(404, 'ErrorInvalidUser');
  respond = () => ({ inbox: unknown, draft: unknown, send: unknown });
  expect(await check()).toMatchObject({ findings: { 'graph.send': { verdict: 'failed', cause: 'address_is_group' } } });
});

it.each(probes)('has a finding for %s if the connection names it, alone or with others', async (probe) => {
  for (const named of [[probe], [...probes]]) {
    const outcome = await check({ connection: aConnection({ probes: named }) });
    expect(outcome).toMatchObject({ kind: 'checked', findings: { [probe]: { verdict: 'passed' } } });
  }
});

it('skips the send probe if the connection turns it off', async () => {
  const silent = { ...connection, sendProbe: 'none' };
  expect(await check({ connection: silent })).toMatchObject({ findings: { 'graph.send': { verdict: 'skipped' } } });
  expect(asked[0]).toBe('ask draft');
});

describe('IMAP and SMTP', () => {
  const byAll = aConnection({ probes: ['graph.readWrite', 'graph.send', 'imap', 'smtp'] });
  const byProtocols = aConnection({ probes: ['imap', 'smtp'] });
  const answerOf = (service: 'imap' | 'smtp', status: number, code: string, message: string): Answer => ({
    kind: 'refused',
    refusal: { service, status, code, message },
  });

  it('come after Graph, one after the other, with a token of their own', async () => {
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

  it('need no Graph token if no Graph probe is asked', async () => {
    await check({ connection: byProtocols });
    expect(asked).toEqual(['token exchange', 'imap', 'token exchange', 'smtp']);
  });

  it('are not repeated if they have a finding', async () => {
    const priorFindings = { imap: { verdict: 'passed' as const, checkedAt: NOW } };
    await check({ connection: byProtocols, priorFindings });
    expect(asked).toEqual(['token exchange', 'smtp']);
  });

  it('fail independently', async () => {
    imapAnswer = answerOf('imap', 0, 'NO', 'AUTHENTICATE failed.');
    const outcome = await check({ connection: byProtocols });
    expect(outcome).toMatchObject({
      kind: 'checked',
      findings: { imap: { verdict: 'failed', cause: 'imap_access_missing' }, smtp: { verdict: 'passed' } },
    });
  });

  it('report IMAP as disabled only if the sign-in repeatedly opens no mailbox', async () => {
    imapAnswer = answerOf('imap', 0, 'BAD', 'User is authenticated but not connected.');
    expect(await check({ connection: byProtocols, tries: 1 })).toMatchObject({ kind: 'wait', priorFindings: {} });
    expect(await check({ connection: byProtocols, tries: 2 })).toMatchObject({
      findings: { imap: { verdict: 'failed', cause: 'imap_disabled' } },
    });
  });

  it('wait if there is no answer, and keep the other findings', async () => {
    smtpAnswer = { kind: 'lost' };
    expect(await check({ connection: byProtocols })).toMatchObject({
      kind: 'wait',
      cause: 'microsoft_unavailable',
      priorFindings: { imap: { verdict: 'passed' } },
    });
  });

  it('are one finding of the connection if Exchange Online issues no token', async () => {
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
        inbox: { kind: 'accepted', value: 'inbox-of-jane' },
        ...(questions.draft && { draft: { kind: 'accepted', value: 'draft-1' } }),
        ...(questions.send && { send }),
      };
    };
  };

  it('passes once it has arrived, and is removed', async () => {
    sending(accepted, ['message-1']);
    expect(await check({ connection: toItself })).toMatchObject({
      findings: { 'graph.send': { verdict: 'passed', requestId: 'r-1' }, 'graph.readWrite': { verdict: 'passed' } },
    });
    expect([...items]).toEqual([]);
  });

  it('is searched for again within two seconds', async () => {
    sending(accepted);
    let looks = 0;
    onPause = () => ++looks === 2 && items.add('message-1');
    expect(await check({ connection: toItself })).toMatchObject({ findings: { 'graph.send': { verdict: 'passed' } } });
    expect([...items]).toEqual([]);
  });

  it('is waited for, not sent again, if it has not arrived', async () => {
    sending(accepted);
    const first = await check({ connection: toItself });
    expect(first).toMatchObject({
      kind: 'wait',
      seconds: 10,
      priorFindings: { 'graph.send': { verdict: 'inconclusive', cause: 'message_not_delivered', sentAt: NOW } },
    });
    if (first.kind !== 'wait') throw new Error('no wait');
    asked = [];
    items.add('message-1');
    expect(await check({ connection: toItself, priorFindings: first.priorFindings, cleanFirst: true })).toMatchObject({
      kind: 'checked',
      findings: { 'graph.send': { verdict: 'passed' } },
    });
    expect(asked.filter((one) => one.includes('send'))).toEqual([]);
    expect([...items]).toEqual([]);
  });

  it('is inconclusive if it has not arrived after five minutes', async () => {
    sending(accepted);
    const first = await check({ connection: toItself });
    if (first.kind !== 'wait') throw new Error('no wait');
    now = new Date(NOW.getTime() + 301_000);
    expect(await check({ connection: toItself, priorFindings: first.priorFindings, cleanFirst: true })).toMatchObject({
      kind: 'checked',
      findings: { 'graph.send': { verdict: 'inconclusive', cause: 'message_not_delivered' } },
    });
  });

  it('fails if a non-delivery report arrives, and the report is removed', async () => {
    sending(accepted, ['report-1']);
    expect(await check({ connection: toItself })).toMatchObject({
      findings: { 'graph.send': { verdict: 'failed', cause: 'sending_blocked' } },
    });
    expect([...items]).toEqual([]);
  });

  it('passes if the answer was lost but the message arrived, and is sent again only if it did not', async () => {
    sending({ kind: 'lost' }, ['message-1']);
    expect(await check({ connection: toItself })).toMatchObject({ findings: { 'graph.send': { verdict: 'passed' } } });
    sending({ kind: 'lost' });
    const lost = await check({ connection: toItself });
    expect(lost).toMatchObject({ kind: 'wait', cause: 'microsoft_unavailable' });
    if (lost.kind !== 'wait') throw new Error('no wait');
    expect(lost.priorFindings['graph.send']).toBeUndefined();
    items.add('message-late');
    asked = [];
    expect(await check({ connection: toItself, priorFindings: lost.priorFindings, cleanFirst: true })).toMatchObject({
      findings: { 'graph.send': { verdict: 'passed' } },
    });
    expect(asked.filter((one) => one.includes('send'))).toEqual([]);
  });

  it('does not pass if Microsoft reports missing recipients', async () => {
    sending(refused(400, 'ErrorInvalidRecipients'));
    expect(await check({ connection: toItself })).toMatchObject({
      findings: { 'graph.send': { verdict: 'inconclusive', cause: 'unknown_refusal' } },
    });
  });
});

it('waits for the additional questions, because their answers can change the cause', async () => {
  respond = (questions) => ({
    inbox: { kind: 'accepted', value: 'inbox-of-jane' },
    ...(questions.draft && { draft: { kind: 'accepted', value: 'draft-1' } }),
    ...(questions.send && sendPass && { send: sendPass }),
    owner: refused(429, 'TooManyRequests'),
  });
  expect(await check({})).toMatchObject({
    kind: 'wait',
    cause: 'throttled',
    priorFindings: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
  });
});

it('reports that a mailbox does not exist only if Microsoft says so twice', async () => {
  respond = () => ({
    inbox: refused(404, 'ErrorNonExistentMailbox'),
    draft: refused(404, 'ErrorNonExistentMailbox'),
    send: refused(404, 'ErrorNonExistentMailbox'),
  });
  expect(await check({})).toMatchObject({ kind: 'wait' });
  expect(await check({ tries: 1 })).toMatchObject({ findings: { 'graph.send': { verdict: 'failed' } } });
});

it('tries once more with a new token if a 401 does not say what is wrong', async () => {
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
