import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Expected } from '../../../local/microsoft365/demo-expectations.ts';
import { demoMailboxes } from '../../../local/microsoft365/demo-mailboxes.ts';
import { createTokens } from '../../../shared/adapters/entra/client-credential-tokens.ts';
import { createSendBatch } from '../../../shared/adapters/graph/batch.ts';
import { graphMail } from '../../../shared/adapters/graph/graph-mail.ts';
import { graphRecipients } from '../../../shared/adapters/graph/graph-recipients.ts';
import type { Findings } from '../../../shared/causes/verdict.ts';
import { createMailboxChecker } from '../../../shared/checks/check-mailbox.ts';
import type { CheckOutcome, MailboxChecker } from '../../../shared/checks/mailbox-checker.ts';
import type { Connection } from '../../../shared/connections/connection.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { aConnection } from '../../support/records.ts';
import {
  openSimulator,
  type SimulatorClient,
  wingtip,
  wingtipApp,
  wingtipTenant,
} from '../../support/simulator-client.ts';

const special = demoMailboxes(wingtip.domain);
const known: Expected[] = [
  ...special.expected.filter(({ untilGivenUp, address }) => !untilGivenUp && !/^(slow|busy|flaky)@/.test(address)),
  { address: `user1@${wingtip.domain}`, verdicts: { 'graph.readWrite': 'passed', 'graph.send': 'passed' } },
];
const tenantWith = (faultRates: object | null) =>
  wingtipTenant({
    apps: [
      wingtipApp({
        grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All', 'Group.Read.All', 'OrgContact.Read.All'],
        accessPolicy: { deny: special.blockedByPolicy },
      }),
    ],
    mailboxes: [...special.mailboxes, { generate: 3, address: `user{n}@${wingtip.domain}` }],
    recipients: special.recipients,
    faultRates: faultRates as never,
  });

let client: SimulatorClient;
let checker: MailboxChecker;
let connection: Connection;

beforeAll(async () => {
  client = await openSimulator({ latencyMs: 1, tenants: [tenantWith(null)] });
  const { loginUrl, graphUrl } = client.simulator;
  const clock = { now: () => new Date() };
  const clouds = () => ({
    loginUrl,
    graphUrl,
    graphResource: 'https://graph.microsoft.com',
    exchangeResource: 'https://outlook.office365.com',
    hasPermanentDelete: true,
  });
  const secret = wingtipApp().secrets?.[0]?.value ?? '';
  const sendBatch = createSendBatch({ timeoutMs: 5_000, now: clock.now });
  checker = createMailboxChecker({
    tokens: createTokens({ vault: { get: async () => new Secret(secret) }, clouds, clock, timeoutMs: 5_000 }),
    graph: graphMail({ sendBatch, clouds }),
    recipients: graphRecipients({ sendBatch, clouds }),
    protocols: {
      imap: () => Promise.reject(new Error('not asked')),
      smtp: () => Promise.reject(new Error('not asked')),
    },
    clock,
    pause: async () => undefined,
  });
  connection = aConnection({
    cloud: 'simulator',
    tenantId: wingtip.id,
    clientId: wingtip.clientId,
    grantsChangedAt: new Date(0),
  });
});
afterAll(() => client.close());

/** Asks until there is a verdict, as the queue would; now and then a second delivery of the same asks beside it. */
async function settle(address: string, marker: string, twice: () => boolean): Promise<CheckOutcome> {
  let shown: Findings = {};
  for (let tries = 0; tries < 2_000; tries++) {
    const input = { connection, address, marker, shown, cleanFirst: tries > 0, tries };
    const beside = twice() ? checker.check({ ...input, cleanFirst: true }) : undefined;
    const outcome = await checker.check(input);
    await beside;
    if (outcome.kind !== 'wait') return outcome;
    // It goes over the queue.
    shown = JSON.parse(JSON.stringify(outcome.shown)) as Findings;
  }
  throw new Error(`${address} never came to an end`);
}

async function cleanUp(address: string, marker: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await checker.removeLeftovers(connection, address, marker);
    } catch {
      // Weather: the broom comes again.
    }
  }
}

const rate = (most: number) => fc.constantFrom(0, most / 4, most);

it('gives each mailbox the verdict and the cause that its true state deserves, and leaves nothing, whatever goes wrong on the way', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        throttled: rate(0.2),
        unavailable: rate(0.1),
        dropped: rate(0.1),
        garbage: rate(0.04),
        seed: fc.integer({ min: 1, max: 1_000_000 }),
      }),
      fc.constantFrom(0, 0.3),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      async (faultRates, redelivered, chance) => {
        client.put(tenantWith(faultRates));
        const twice = () => (chance.next().value ?? 1) < redelivered;
        run++;
        const ended = await Promise.allSettled(
          known.map(async ({ address, verdicts, cause }, line) => {
            const marker = `Muster check imp_${run} ${line}`;
            const outcome = await settle(address, marker, twice);
            if (redelivered > 0) await cleanUp(address, marker);
            if (outcome.kind !== 'checked') throw new Error(`${address}: ${outcome.kind}`);
            for (const [probe, verdict] of Object.entries(verdicts)) {
              const finding = outcome.findings[probe as keyof Findings];
              expect([address, finding?.verdict]).toEqual([address, verdict]);
              if (verdict !== 'passed') expect([address, finding?.cause]).toEqual([address, cause]);
            }
          }),
        );
        // Only when all have come to their end: what is under way may still have its draft.
        for (const one of ended) if (one.status === 'rejected') throw one.reason;
        const left = await client.control('/leftovers');
        expect(left).toMatchObject({ drafts: 0, inbox: 0, sent: 0 });
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 6) },
  );
}, 120_000);
