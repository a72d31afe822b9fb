import { describe, expect, it } from 'vitest';
import { purgesFolder } from '../../../local/microsoft365/mail-store.ts';
import { createTokens } from '../../../shared/adapters/entra/client-credential-tokens.ts';
import { realClouds } from '../../../shared/adapters/entra/clouds.ts';
import { createSendBatch } from '../../../shared/adapters/graph/batch.ts';
import { graphMail } from '../../../shared/adapters/graph/graph-mail.ts';
import { graphRecipients } from '../../../shared/adapters/graph/graph-recipients.ts';
import { createMailboxChecker } from '../../../shared/checks/check-mailbox.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { cloudPlayedBy } from '../../support/played-cloud.ts';
import { aConnection } from '../../support/records.ts';
import { type ErrorBody, startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

type RealCloud = (typeof realClouds)[number];

const tenantIn = (cloud: RealCloud) =>
  wingtipTenant({
    cloud,
    sendLeavesDraft: true,
    apps: [wingtipApp({ grants: ['Mail.ReadWrite', 'Mail.Send'] })],
    mailboxes: [{ address: at('jane') }, { address: at('lost'), fault: 'lostDraft' }],
  });
const client = await startSimulatedTenant({ tenants: [tenantIn('global')] });
const clock = { now: () => new Date() };

function checkerIn(cloud: RealCloud) {
  const clouds = () => cloudPlayedBy(client.simulator, cloud);
  const sendBatch = createSendBatch({ timeoutMs: 2_000, now: clock.now });
  const vault = { get: async () => new Secret(wingtip.clientSecret) };
  return createMailboxChecker({
    tokens: createTokens({ vault, certificates: { sign: async () => undefined }, clouds, clock, timeoutMs: 2_000 }),
    graph: graphMail({ sendBatch, clouds }),
    recipients: graphRecipients({ sendBatch, clouds }),
    protocols: { imap: () => Promise.reject(new Error('unused')), smtp: () => Promise.reject(new Error('unused')) },
    clock,
    pause: async () => undefined,
  });
}

/** Everything in the mailbox that its owner can see, by folder. */
const visibleIn = (address: string) =>
  [...client.simulator.world.mail.of(wingtip.id, address).messages.values()]
    .map(({ folder }) => folder)
    .filter((folder) => folder !== purgesFolder);

describe.each(realClouds)('in the cloud %s', (cloud) => {
  it.each(['noDelivery', 'selfAddressed'] as const)(
    'a check passes and leaves nothing that the owner can see: %s',
    async (sendProbe) => {
      client.put(tenantIn(cloud));
      const connection = aConnection({ tenantId: wingtip.id, clientId: wingtip.clientId, sendProbe });
      const check = (address: string, cleanFirst: boolean) =>
        checkerIn(cloud).check({ connection, address, draftSubject: 'Muster check', priorFindings: {}, cleanFirst });
      expect(await check(at('jane'), false)).toMatchObject({
        kind: 'checked',
        findings: { 'graph.readWrite': { verdict: 'passed' }, 'graph.send': { verdict: 'passed' } },
      });
      expect(visibleIn(at('jane'))).toEqual([]);
      // The answer to the draft is lost. The next try finds the draft and removes it.
      await check(at('lost'), false);
      expect(await check(at('lost'), true)).toMatchObject({ kind: 'checked' });
      expect(visibleIn(at('lost'))).toEqual([]);
    },
  );
});

it('only the global cloud has permanentDelete, and a message in China has no internet message headers', async () => {
  const messages = `/users/${at('jane')}/messages`;
  const draft = <T = ErrorBody>(headers: object) =>
    client.graph<T>('POST', messages, { body: { subject: 'x', toRecipients: [], ...headers } });
  const withHeader = { internetMessageHeaders: [{ name: 'x-test', value: '1' }] };
  const seen: Record<string, unknown[]> = {};
  for (const cloud of realClouds) {
    client.put(tenantIn(cloud));
    const { body } = await draft<{ id: string }>({});
    const removed = await client.graph('POST', `${messages}/${body.id}/permanentDelete`, { body: {} });
    const withHeaders = await draft(withHeader);
    seen[cloud] = [removed.status, withHeaders.status];
    if (cloud !== 'china') continue;
    expect(removed.body.error).toMatchObject({
      code: 'BadRequest',
      message: "Resource not found for the segment 'permanentDelete'.",
    });
    expect(withHeaders.body.error).toEqual({
      code: 'RequestBodyRead',
      message:
        "The property 'internetMessageHeaders' does not exist on type 'microsoft.graph.message'. Make sure to only use property names that are defined by the type or mark the type as open type.",
    });
  }
  expect(seen).toEqual({ global: [204, 201], usgov: [400, 201], usgovdod: [400, 201], china: [400, 400] });
});
