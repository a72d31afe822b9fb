import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Expected } from '../../../local/demo/expectations.ts';
import { demoMailboxes } from '../../../local/demo/mailboxes.ts';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { createTokens } from '../../../shared/adapters/entra/client-credential-tokens.ts';
import { createSendBatch } from '../../../shared/adapters/graph/batch.ts';
import { graphMail } from '../../../shared/adapters/graph/graph-mail.ts';
import { graphRecipients } from '../../../shared/adapters/graph/graph-recipients.ts';
import { createMailboxChecker } from '../../../shared/checks/check-mailbox.ts';
import type { CheckInput, CheckOutcome } from '../../../shared/checks/mailbox-checker.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { cloudPlayedBy } from '../../support/played-cloud.ts';
import { aConnection } from '../../support/records.ts';
import { startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const demo = demoMailboxes(wingtip.domain);
/** The mailboxes of the demo whose verdict does not depend on chance or on giving up, and one generated mailbox. */
const expectations: Expected[] = [
  ...demo.expected.filter(({ untilGivenUp, address }) => !untilGivenUp && !/^(slow|busy|flaky)@/.test(address)),
  { address: at('user1'), verdicts: { 'graph.readWrite': 'passed', 'graph.send': 'passed' } },
];
const tenantWith = (faultRates: ScenarioTenantInput['faultRates'], cloud: 'global' | 'china' = 'global') =>
  wingtipTenant({
    cloud,
    apps: [
      wingtipApp({
        grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All', 'Group.Read.All', 'OrgContact.Read.All'],
        accessPolicy: { deny: demo.blockedByPolicy },
      }),
    ],
    mailboxes: [...demo.mailboxes, { generate: 3, address: at('user{n}') }],
    recipients: demo.recipients,
    faultRates,
  });

const client = await startSimulatedTenant({ latencyMs: 1, tenants: [tenantWith(null)] });
const clock = { now: () => new Date() };
/** The cloud whose Graph the simulator plays. */
let played: 'global' | 'china' = 'global';
const clouds = () => cloudPlayedBy(client.simulator, played);
const sendBatch = createSendBatch({ timeoutMs: 5_000, now: clock.now });
const vault = { get: async () => new Secret(wingtip.clientSecret) };
const checker = createMailboxChecker({
  tokens: createTokens({ vault, certificates: { sign: async () => undefined }, clouds, clock, timeoutMs: 5_000 }),
  graph: graphMail({ sendBatch, clouds }),
  recipients: graphRecipients({ sendBatch, clouds }),
  protocols: {
    imap: () => Promise.reject(new Error('The connection has no imap probe.')),
    smtp: () => Promise.reject(new Error('The connection has no smtp probe.')),
  },
  clock,
  pause: async () => undefined,
});
const connection = aConnection({
  cloud: 'simulator',
  tenantId: wingtip.id,
  clientId: wingtip.clientId,
  grantsChangedAt: new Date(0),
});

/** More with `RUNS=200`. */
const RUNS = Number(process.env.RUNS ?? 6);

/** Checks until there is a verdict, as the queue does. Sometimes a second delivery runs at the same time. */
async function checkUntilSettled(
  address: string,
  draftSubject: string,
  isDeliveredTwice: () => boolean,
): Promise<CheckOutcome> {
  let prior: Pick<CheckInput, 'priorFindings' | 'priorKind'> & { mayHaveLeftovers?: boolean } = { priorFindings: {} };
  for (let tries = 0; tries < 2_000; tries++) {
    const { mayHaveLeftovers = false, ...found } = prior;
    const input = { connection, address, draftSubject, ...found, cleanFirst: mayHaveLeftovers, tries };
    const secondDelivery = isDeliveredTwice() ? checker.check({ ...input, cleanFirst: true }) : undefined;
    const outcome = await checker.check(input);
    await secondDelivery;
    if (outcome.kind !== 'wait') return outcome;
    // A token request that failed is remembered for seconds, as in the product, where a message waits for them.
    if (tries > 50) await pause(5);
    // What is known travels in the queue message as JSON.
    const { priorFindings, priorKind, mayHaveLeftovers: isUnclean } = outcome;
    prior = JSON.parse(JSON.stringify({ priorFindings, priorKind, mayHaveLeftovers: isUnclean }));
  }
  throw new Error(`${address} never got a verdict.`);
}

async function cleanUp(address: string, draftSubject: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await checker.removeLeftovers(connection, address, draftSubject);
    } catch {
      // A transient failure: the cleanup message is retried.
    }
  }
}

const rateUpTo = (max: number) => fc.constantFrom(0, max / 4, max);

it(
  'gives each mailbox its true verdict and cause, and leaves nothing behind, with any faults during the checks',
  async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          throttled: rateUpTo(0.2),
          unavailable: rateUpTo(0.1),
          dropped: rateUpTo(0.1),
          garbage: rateUpTo(0.04),
          seed: fc.integer({ min: 1, max: 1_000_000 }),
        }),
        fc.constantFrom('global' as const, 'china' as const),
        fc.constantFrom(0, 0.3),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (faultRates, cloud, redeliveredShare, chance) => {
          played = cloud;
          client.put(tenantWith(faultRates, cloud));
          const isDeliveredTwice = () => (chance.next().value ?? 1) < redeliveredShare;
          run++;
          const results = await Promise.allSettled(
            expectations.map(async ({ address, verdicts, cause }, line) => {
              const draftSubject = `Muster check imp_${run} ${line}`;
              const outcome = await checkUntilSettled(address, draftSubject, isDeliveredTwice);
              if (redeliveredShare > 0) await cleanUp(address, draftSubject);
              if (outcome.kind !== 'checked') throw new Error(`${address}: ${outcome.kind}`);
              for (const probe of ['graph.readWrite', 'graph.send'] as const) {
                const verdict = verdicts[probe];
                const finding = outcome.findings[probe];
                expect([address, finding?.verdict]).toEqual([address, verdict]);
                if (verdict !== 'passed') expect([address, finding?.cause]).toEqual([address, cause]);
              }
            }),
          );
          // Wait for all checks first: one that is still running may have a draft.
          for (const result of results) if (result.status === 'rejected') throw result.reason;
          const leftovers = await client.control('/leftovers');
          expect(leftovers).toMatchObject({ drafts: 0, inbox: 0, deleted: 0, sent: 0 });
        },
      ),
      { numRuns: RUNS },
    );
  },
  120_000 + RUNS * 3_000,
);
