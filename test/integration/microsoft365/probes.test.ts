import { describe, expect, it } from 'vitest';
import { protocolMail } from '../../../shared/adapters/mail/protocol-mail.ts';
import type { Answer } from '../../../shared/checks/answer.ts';
import { evaluateProtocol } from '../../../shared/checks/evaluate-protocol.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { apps, claimsOf, exchangeToken, off, protocolScenario, xoauth2 } from '../../support/mail-protocols.ts';
import { startSimulatedTenant } from '../../support/simulator-client.ts';
import { at } from '../../support/wingtip.ts';

const NOW = new Date('2026-06-01T00:00:00Z');

const client = await startSimulatedTenant(
  protocolScenario([
    ...['5.7.3', '5.7.139', '5.7.30', '5.7.57', '5.7.60', '5.1.8', '5.7.705', '5.7.750', '4.3.2'].map((code) => ({
      address: at(`fault-${code}`),
      fault: `error:${code}`,
    })),
    { address: at('smtp-off'), smtpAuth: false },
    { address: at('imap-off'), imap: false },
    { address: at('imap-unavailable'), fault: 'error:IMAP.unavailable' },
    { address: at('imap-limit'), fault: 'error:IMAP.limit' },
    { address: at('imap-bug'), fault: 'error:IMAP.serverBug' },
    { address: at('imap-in-use'), fault: 'error:IMAP.inUse' },
    { address: at('down'), fault: 'down' },
    { address: at('mute'), fault: 'noAnswer' },
    { address: at('garbled'), fault: 'garbage' },
    { address: at('smtp-dropped'), fault: 'error:SMTP.dropped' },
    { address: at('imap-dropped'), fault: 'error:IMAP.dropped' },
    { address: at('no-access'), fullAccess: [] },
  ]),
);
const token = await exchangeToken(client);
const { imap, smtp } = client.simulator;
const mail = protocolMail({ clouds: () => ({ imap, smtp }), timeoutMs: 1_500 });

const ask = (probe: 'imap' | 'smtp', address: string, bearer = token) =>
  mail[probe]({ cloud: 'simulator', address, token: new Secret(bearer) });

const accepted: Answer = { kind: 'accepted', value: undefined };

/** The cause after three attempts with this answer. */
function causeOf(probe: 'imap' | 'smtp', answer: Answer): string | undefined {
  const { findings, wait } = evaluateProtocol(probe, answer, NOW, 2);
  return findings[probe]?.cause ?? wait?.cause;
}

it.each(['imap', 'smtp'] as const)(
  '%s passes a mailbox that admits the app, and leaves nothing behind',
  async (probe) => {
    expect(await ask(probe, at('jane'))).toEqual(accepted);
    const contents = client.simulator.world.mail.peek('', at('jane'));
    expect(contents?.sent ?? []).toEqual([]);
  },
);

it.each([
  ['no access to the mailbox', at('no-access'), 'imap_access_missing'],
  ['an unknown address', at('nobody'), 'imap_access_missing'],
  ['a sign-in without a mailbox: IMAP is disabled', at('imap-off'), 'imap_disabled'],
  ['a sign-in without a mailbox: it is on premises', at('factory'), 'imap_disabled'],
  ['an unavailable server', at('imap-unavailable'), 'microsoft_unavailable'],
  ['too many connections', at('imap-limit'), 'throttled'],
  ['a bug of the server, after the sign-in', at('imap-bug'), 'microsoft_unavailable'],
  ['a folder in use', at('imap-in-use'), 'microsoft_unavailable'],
  ['a server that closes the connection', at('down'), 'microsoft_unavailable'],
  ['no reply', at('mute'), 'microsoft_unavailable'],
  ['a garbled reply', at('garbled'), 'microsoft_unavailable'],
  ['a dropped connection', at('imap-dropped'), 'microsoft_unavailable'],
])('imap: %s', async (_, address, cause) => {
  expect(causeOf('imap', await ask('imap', address))).toBe(cause);
});

it.each([
  ['no access to the mailbox', at('no-access'), 'smtp_access_missing'],
  ['an unknown address', at('nobody'), 'smtp_access_missing'],
  ['5.7.3', at('fault-5.7.3'), 'smtp_access_missing'],
  ['disabled for the mailbox', at('smtp-off'), 'smtp_auth_disabled_mailbox'],
  ['disabled for the organization', at('fault-5.7.139'), 'smtp_auth_disabled_tenant'],
  ['basic authentication retired, which we do not use', at('fault-5.7.30'), 'unknown_refusal'],
  ['a sender before sign-in, which we never send', at('fault-5.7.57'), 'unknown_refusal'],
  ['another sender', at('fault-5.7.60'), 'send_as_denied'],
  ['a mailbox on the restricted list', at('fault-5.1.8'), 'sending_blocked'],
  ['a tenant over its threshold', at('fault-5.7.705'), 'sending_blocked'],
  ['an unregistered domain', at('fault-5.7.750'), 'sending_blocked'],
  ['too many connections', at('fault-4.3.2'), 'throttled'],
  ['an unavailable server', at('down'), 'microsoft_unavailable'],
  ['no reply', at('mute'), 'microsoft_unavailable'],
  ['a garbled reply', at('garbled'), 'microsoft_unavailable'],
  ['a dropped connection', at('smtp-dropped'), 'microsoft_unavailable'],
])('smtp: %s', async (_, address, cause) => {
  expect(causeOf('smtp', await ask('smtp', address))).toBe(cause);
});

describe('a long token', () => {
  /** As long as the token of an app with dozens of permissions. */
  const longToken = (octets: number) =>
    client.simulator.world.tokens.sign(
      claimsOf({ roles: ['IMAP.AccessAsApp', 'SMTP.SendAsApp', 'x'.repeat((octets * 9) / 16)] }),
    );

  it.each(['imap', 'smtp'] as const)('%s: signs in with 8,000 octets', async (probe) => {
    const bearer = await longToken(8_000);
    expect(xoauth2(at('jane'), bearer).length).toBeGreaterThan(8_000);
    expect(await ask(probe, at('jane'), bearer)).toEqual(accepted);
  });

  it('imap: a token that is too long for one command says nothing about the mailbox', async () => {
    const answer = await ask('imap', at('jane'), await longToken(16_000));
    expect(evaluateProtocol('imap', answer, NOW, 2).findings.imap).toMatchObject({ verdict: 'inconclusive' });
  });
});

describe('the organization’s SMTP setting', () => {
  it('applies unless the mailbox has a setting of its own', async () => {
    const other = await exchangeToken(client, apps.usual, off.id);
    const inherits = await ask('smtp', `inherits@${off.domain}`, other);
    expect(causeOf('smtp', inherits)).toBe('smtp_auth_disabled_tenant');
    expect(await ask('smtp', `excepted@${off.domain}`, other)).toEqual(accepted);
  });
});

it.each(['imap', 'smtp'] as const)('%s refuses a token for Graph, and does not repeat it', async (probe) => {
  const graph = await client.token();
  const answer = await ask(probe, at('jane'), graph);
  expect(causeOf(probe, answer)).toBe(`${probe}_access_missing`);
  expect(JSON.stringify(answer)).not.toContain(graph.slice(0, 20));
});

it('smtp names no recipient and sends no data', async () => {
  const before = client.simulator.world.requests.counts().filter(({ service }) => service === 'smtp');
  await ask('smtp', at('john'));
  const after = client.simulator.world.requests.counts().filter(({ service }) => service === 'smtp');
  expect(after.filter(({ method }) => method === 'RCPT' || method === 'DATA')).toEqual(
    before.filter(({ method }) => method === 'RCPT' || method === 'DATA'),
  );
  expect(after.map(({ method }) => method)).toEqual(expect.arrayContaining(['AUTH', 'MAIL']));
});

it('smtp reports it if a cloud has no such server', async () => {
  const nowhere = protocolMail({ clouds: () => ({ imap: undefined, smtp: undefined }), timeoutMs: 1_000 });
  const answer = await nowhere.smtp({ cloud: 'china', address: at('jane'), token: new Secret('x') });
  expect(answer).toMatchObject({ kind: 'refused', refusal: { code: 'noServer' } });
});
