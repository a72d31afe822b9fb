import { describe, expect, it } from 'vitest';
import { MailConversation } from '../../support/mail-conversation.ts';
import { protocolScenario } from '../../support/mail-protocols.ts';
import { openSimulator, startSimulatedTenant } from '../../support/simulator-client.ts';
import { at } from '../../support/wingtip.ts';

const faults = ['error:5.1.8', 'error:4.3.2', 'error:IMAP.down', 'error:SMTP.down'].map((fault, n) => ({
  address: at(`mailbox${n}`),
  fault,
}));
const client = await startSimulatedTenant(protocolScenario(faults));

describe('a fault of IMAP or SMTP', () => {
  it.each(faults)('does not affect Graph: $fault', async ({ address }) => {
    expect((await client.graph('GET', `/users/${address}/mailFolders/inbox`)).status).toBe(200);
  });

  it('is rejected if it is unknown, and the message lists the known faults', async () => {
    await expect(
      openSimulator(protocolScenario([{ address: at('x'), fault: 'error:IMAP.notConected' }])),
    ).rejects.toThrow(/mailboxes\.\d+\.fault: .*IMAP\.notConnected/);
  });
});

it('closing ends every connection, even during the TLS handshake', async () => {
  const simulator = await openSimulator(protocolScenario());
  const imap = await MailConversation.imap(simulator);
  const smtp = await MailConversation.smtp(simulator);
  const smtpOverTls = await MailConversation.smtp(simulator);
  await smtpOverTls.startTls();
  const smtpInHandshake = await MailConversation.smtp(simulator);
  await smtpInHandshake.ask('STARTTLS', /^220 /m);
  await simulator.close();
  const conversations = [imap, smtp, smtpOverTls, smtpInHandshake];
  await Promise.all(conversations.map((conversation) => conversation.until(/never/)));
  expect(conversations.map(({ isOver }) => isOver)).toEqual([true, true, true, true]);
});
