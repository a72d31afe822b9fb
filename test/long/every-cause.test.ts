import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, it } from 'vitest';
import type { ImportSummary } from '../../clients/typescript/src/index.ts';
import { type CauseCode, causeCodes, causes } from '../../shared/causes/causes.ts';
import { type Probe, probes } from '../../shared/causes/verdict.ts';
import { poisonQueues, tables } from '../../shared/kernel/storage-names.ts';
import {
  mainApp,
  protocolApp,
  type Registration,
  scopedApp,
  selfApp,
  smtpOff,
  writerApp,
} from '../support/cause-cases/apps.ts';
import { type ConnectionCase, caseTenantOf, connectionCases } from '../support/cause-cases/connection-cases.ts';
import {
  type MailboxCase,
  mailboxCases,
  plainMailbox,
  plainSignInName,
  protocolCases,
  scopedCases,
  selfCases,
  smtpOffCases,
  writerCases,
} from '../support/cause-cases/mailbox-cases.ts';
import { causeScenario } from '../support/cause-cases/scenario.ts';
import { openVault } from '../support/open-vault.ts';
import { csvOf } from '../support/plain-tenant.ts';
import { type Progress, useRunningStack } from '../support/running-stack.ts';

interface ShownFinding {
  verdict: string;
  cause?: string;
  detail?: string;
  fix?: string;
  link?: string;
  requestId?: string;
  microsoftCode?: string;
}
interface ShownMailbox {
  status: string;
  checks: Record<string, ShownFinding>;
}
interface Problem {
  code: string;
  cause?: string;
  detail: string;
  fix?: string;
}

/** How long after the first consent a refusal can still be propagation. */
const FRESH_SECONDS = 4;

const running = useRunningStack(causeScenario, {
  settings: { CHECK_GIVE_UP_AFTER: 'PT6S', PROPAGATION_STEPS: `PT1S,PT${FRESH_SECONDS}S` },
});

const bothFailed = { 'graph.readWrite': 'failed', 'graph.send': 'failed' } as const;

/** The causes that these tests have seen. */
const seen = new Set<CauseCode>();
/** A paused import with one pending row. */
let paused: { connectionId: string; importId: string; address: string } | undefined;

function bodyOf({ tenant, clientId, clientSecret }: Registration, more: object = {}) {
  return {
    body: {
      name: clientId,
      tenant,
      clientId,
      clientSecret,
      clientSecretExpiresAt: '2035-12-31T00:00:00Z',
      cloud: 'simulator',
      ...more,
    },
  };
}

async function connect(registration: Registration, more: object = {}): Promise<string> {
  const { id } = await running.owner.expect<{ id: string }>(201, 'POST', '/v1/connections', bodyOf(registration, more));
  return id;
}

async function connectReady(registration: Registration, more: object = {}): Promise<string> {
  const id = await connect(registration, more);
  const { verdict } = await running.owner.expect<{ verdict: string }>(200, 'POST', `/v1/connections/${id}/test`);
  expect(verdict).toBe('passed');
  return id;
}

async function checkAll(connectionId: string, addresses: readonly string[]): Promise<Progress> {
  const { id } = await running.startImport(connectionId, csvOf(addresses));
  return running.untilEnded(id, 60_000);
}

/** Expects a finding to explain the problem and its fix, and to link the documentation. */
function expectExplained(finding: ShownFinding, cause: CauseCode): void {
  expect(finding.cause).toBe(cause);
  // What is known of a denial can lead to another page of Microsoft.
  expect(finding.link).toMatch(/^(https:\/\/learn\.microsoft\.com\/|docs\/)/);
  expect(finding.detail?.length).toBeGreaterThan(10);
  expect(finding.fix?.length).toBeGreaterThan(10);
}

async function expectMailboxes(connectionId: string, expected: readonly MailboxCase[]): Promise<void> {
  for (const { address, cause, verdicts, hasRequestId } of expected) {
    const mailbox = await running.owner.expect<ShownMailbox>(
      200,
      'GET',
      `/v1/connections/${connectionId}/mailboxes/${address}`,
    );
    const found = Object.fromEntries(Object.entries(mailbox.checks).map(([probe, { verdict }]) => [probe, verdict]));
    expect([address, found]).toEqual([address, verdicts]);
    const failure = probes.map((probe: Probe) => mailbox.checks[probe]).find((one) => one && one.verdict !== 'passed');
    if (!failure) throw new Error(`${address} passes`);
    expect([address, failure.cause]).toEqual([address, cause]);
    expectExplained(failure, cause);
    if (hasRequestId) expect(failure.requestId, `${address} lacks Microsoft's request id`).toMatch(/^[0-9a-f-]{36}$/);
    seen.add(cause);
  }
}

/** Expects the summary to have each cause with its mailboxes, and the report and `failed.csv` to have their rows. */
async function expectSummed({ id, counts }: Progress): Promise<void> {
  const rows = (await running.allRows(id)).filter(({ state }) => state === 'failed' || state === 'inconclusive');
  const { causes: groups } = await running.owner.expect<ImportSummary>(200, 'GET', `/v1/imports/${id}/summary`);
  const expected = Object.entries(Object.groupBy(rows, ({ cause = 'none' }) => cause));
  expect(Object.fromEntries(groups.map(({ cause, mailboxes }) => [cause, mailboxes]))).toEqual(
    Object.fromEntries(expected.map(([cause, some = []]) => [cause, some.length])),
  );
  for (const { cause, examples } of groups) {
    const addresses = rows.filter((row) => row.cause === cause).map(({ address }) => address);
    expect(addresses).toEqual(expect.arrayContaining(examples));
    expect(examples.length).toBeGreaterThan(0);
  }
  const linesOf = async (file: string) =>
    (await running.owner.call('GET', `/v1/imports/${id}/${file}`)).text.trimEnd().split(/\r?\n/).length;
  expect(await linesOf('report.csv')).toBe(1 + counts.rows);
  expect(await linesOf('failed.csv')).toBe(1 + rows.length + counts.rejected);
}

describe('causes of a connection', () => {
  const casesAt = (at: ConnectionCase['at']) => connectionCases.filter((one) => one.at === at);

  it.each(casesAt('registering'))('$name is reported at registration', async ({ cause, registration }) => {
    const { status, body } = await running.owner.call<Problem>('POST', '/v1/connections', bodyOf(registration));
    expect([400, 422]).toContain(status);
    expect(body.cause).toBe(cause);
    expect(body.fix).toBe(causes[cause].fix);
    seen.add(cause);
  });

  it.each(casesAt('consent'))(
    '$name is reported on the consent page and by the API',
    async ({ cause, registration }) => {
      const id = await connect(registration);
      const { url } = await running.owner.expect<{ url: string }>(201, 'POST', `/v1/connections/${id}/consent`);
      const accept = new URL(url);
      accept.searchParams.set('decision', 'accept');
      const page = await fetch(accept, { method: 'POST', body: accept.searchParams });
      expect(await page.text()).toContain('Ask the person who sent you the link for a new link.');
      const connection = await running.owner.expect<{ status: string; finding: ShownFinding }>(
        200,
        'GET',
        `/v1/connections/${id}`,
      );
      expect(connection.status).toBe('awaitingConsent');
      expectExplained(connection.finding, cause);
      expect(connection.finding.microsoftCode).toMatch(/^AADSTS/);
      seen.add(cause);
    },
  );

  it.each(casesAt('test'))(
    '$name is reported by the connection test',
    async ({ cause, registration, probes: asked }) => {
      const id = await connect(registration, asked ? { probes: asked } : {});
      const result = await running.owner.expect<{ verdict: string; steps: (ShownFinding & { step: string })[] }>(
        200,
        'POST',
        `/v1/connections/${id}/test`,
      );
      expect(result.verdict).toBe(causes[cause].verdict);
      const failure = result.steps.find((step) => step.verdict !== 'passed' && step.verdict !== 'skipped');
      expectExplained(failure ?? { verdict: 'none' }, cause);
      seen.add(cause);
    },
  );

  it('secret_missing and vault_unavailable are reported by the connection test', async () => {
    const id = await connectReady(mainApp);
    const credentialStep = async () => {
      const path = `/v1/connections/${id}/test`;
      const { steps } = await running.owner.expect<{ steps: (ShownFinding & { step: string })[] }>(200, 'POST', path);
      return steps.find(({ step }) => step === 'credential') ?? { verdict: 'none' };
    };
    // The client of the vault asks twice.
    running.stack.vault.fail('unavailable', 2);
    expectExplained(await credentialStep(), 'vault_unavailable');
    seen.add('vault_unavailable');

    const vault = openVault(running.stack);
    for await (const { name, tags } of vault.listPropertiesOfSecrets()) {
      if (tags?.connection === id) await vault.updateSecretProperties(name, '', { enabled: false });
    }
    expectExplained(await credentialStep(), 'secret_missing');
    seen.add('secret_missing');
    await running.owner.expect(204, 'DELETE', `/v1/connections/${id}`);
  });

  it('certificate_expired and certificate_missing are reported by the connection test', async () => {
    const file = (name: string) => readFileSync(`test/fixtures/certificates/${name}`, 'utf8');
    const { tenant, clientId } = mainApp;
    const { id, certificate } = await running.muster.connections.create({
      ...{ name: 'Certificate', tenant, clientId, cloud: 'simulator' },
      certificate: { source: 'pem', pem: file('rsa-2048.pem') },
    });
    const causeNow = async () => (await running.muster.connections.test(id)).steps.find(({ cause }) => cause);
    const path = `/_simulator/tenants/${causeScenario.tenants.find(({ domains }) => domains.includes(tenant))?.id}`;
    const before = await running.simulator<{ apps: { clientId: string; certificates: object[] }[] }>('GET', path);
    const changed = structuredClone(before);
    // Entra shows the certificate as one that has expired.
    const [publicKeyPem] = file('expired.pem').split('-----BEGIN P');
    const listed = { thumbprint: certificate?.thumbprintSha256, publicKeyPem };
    changed.apps.find((app) => app.clientId === clientId)?.certificates.push(listed);
    await running.simulator('PUT', path, changed);
    expectExplained((await causeNow()) as ShownFinding, 'certificate_expired');
    await running.simulator('PUT', path, before);

    const vault = openVault(running.stack);
    for await (const { name, tags } of vault.listPropertiesOfSecrets()) {
      if (tags?.connection === id) await vault.updateSecretProperties(name, '', { enabled: false });
    }
    expectExplained((await causeNow()) as ShownFinding, 'certificate_missing');
    seen.add('certificate_expired').add('certificate_missing');
    await running.owner.expect(204, 'DELETE', `/v1/connections/${id}`);
  });

  it.each(casesAt('import'))(
    '$name pauses the import with one finding',
    async ({ cause, registration, probes: asked, hasRequestId }) => {
      const id = await connectReady(registration, asked ? { probes: asked } : {});
      await pause(FRESH_SECONDS * 1000);
      const address = caseTenantOf(registration.tenant) ? `one@${registration.tenant}` : plainMailbox;
      const started = await running.startImport(id, csvOf([address]));
      const path = `/v1/imports/${started.id}`;
      await expect
        .poll(() => running.owner.expect<Progress>(200, 'GET', path), { timeout: 20_000 })
        .toMatchObject({ status: 'paused', counts: { pending: 1 } });
      const { finding } = await running.owner.expect<{ finding: ShownFinding & { cause: string } }>(200, 'GET', path);
      expect(finding.cause).toBe(cause);
      expectExplained({ ...finding, cause }, cause);
      if (hasRequestId) expect(finding.requestId).toMatch(/^[0-9a-f-]{36}$/);
      const connection = await running.owner.expect(200, 'GET', `/v1/connections/${id}`);
      expect(connection).toMatchObject({ status: 'failing', finding: { cause } });
      paused = { connectionId: id, importId: started.id, address };
      seen.add(cause);
    },
  );
});

describe('causes of a mailbox', () => {
  it('are reported by an import for each probe, with Microsoft’s request id', async () => {
    const id = await connectReady(mainApp);
    // A mailbox that is being moved waits for an hour.
    const addresses = mailboxCases.map(({ address }) => address);
    const moving = mailboxCases.filter(({ cause }) => cause === 'mailbox_moving');
    const progress = await checkAll(id, [plainMailbox, ...addresses]);
    expect(progress.counts.passed).toBe(1);
    await expectMailboxes(id, mailboxCases);
    expect(moving).toHaveLength(1);
    await expectSummed(progress);
    await expectSummed(await checkAll(id, [plainSignInName]));
    await expectMailboxes(id, [{ cause: 'same_mailbox', address: plainSignInName, verdicts: bothFailed }]);
  });

  it('are out of scope if other mailboxes pass through RBAC for Applications, even if an earlier verdict differed', async () => {
    const id = await connectReady(scopedApp, { defaultMailbox: plainMailbox });
    await checkAll(id, [...scopedCases.map(({ address }) => address), plainMailbox]);
    await expectMailboxes(id, scopedCases);
    const rows = await running.owner.expect<{ items: { id: string }[] }>(200, 'GET', `/v1/connections/${id}/imports`);
    const importId = rows.items[0]?.id ?? '';
    const row = (await running.allRows(importId)).find(({ state }) => state === 'failed');
    expect(row?.cause).toBe('mailbox_out_of_scope');
    await expectSummed(await running.owner.expect<Progress>(200, 'GET', `/v1/imports/${importId}`));
  });

  it('are a missing permission if no mailbox passes', async () => {
    const id = await connectReady(writerApp);
    const addresses = writerCases.map(({ address }) => address);
    const started = await running.startImport(id, csvOf(addresses));
    // Consent was given a moment ago, so all mailboxes wait at first.
    const path = `/v1/connections/${id}/mailboxes/${addresses[0]}`;
    await expect
      .poll(() => running.owner.expect(200, 'GET', path), { timeout: 20_000, interval: 100 })
      .toMatchObject({ status: 'waiting', checks: { 'graph.send': { cause: 'propagating' } } });
    seen.add('propagating');
    await running.untilEnded(started.id, 60_000);
    await expectMailboxes(id, writerCases);
  });

  it('are found by really sending if the customer asks for it, and nothing is left in the mailbox', async () => {
    const id = await connectReady(selfApp, { sendProbe: 'selfAddressed' });
    const progress = await checkAll(id, [plainMailbox, ...selfCases.map(({ address }) => address)]);
    expect(progress.counts.passed).toBe(1);
    await expectMailboxes(id, selfCases);
    const contents = await running.simulator<Record<'inbox' | 'drafts' | 'deleted' | 'sentItems' | 'sent', unknown[]>>(
      'GET',
      `/_simulator/mailboxes/${plainMailbox}`,
    );
    expect(contents).toMatchObject({ inbox: [], drafts: [], deleted: [], sentItems: [] });
    expect(contents.sent).toHaveLength(1);
  });

  it('are reported for IMAP and SMTP, where a sign-in alone does not pass', async () => {
    const id = await connectReadyByProtocol(protocolApp, plainMailbox);
    const progress = await checkAll(id, [plainMailbox, ...protocolCases.map(({ address }) => address)]);
    expect(progress.counts.passed).toBe(1);
    await expectMailboxes(id, protocolCases);
  });

  it('are reported for an organization that has disabled SMTP', async () => {
    const id = await connectReadyByProtocol(smtpOff);
    await checkAll(
      id,
      smtpOffCases.map(({ address }) => address),
    );
    await expectMailboxes(id, smtpOffCases);
  });

  it('are an internal error after a poison message', async () => {
    if (!paused) throw new Error('no import is paused');
    const { connectionId, importId, address } = paused;
    const { connectionString } = running.stack.local().storage;
    const table = TableClient.fromConnectionString(connectionString, tables.mailboxes, {
      allowInsecureConnection: true,
    });
    const row = await table.getEntity(connectionId, `r:${importId}:000000002`);
    const { customer } = await running.owner.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
    const message = {
      v: 2,
      customerId: customer.id,
      connectionId,
      importId,
      line: 2,
      address,
      rowTag: row.etag,
      attempt: 0,
      epoch: 2,
      tries: 0,
    };
    const queue = new QueueClient(connectionString, poisonQueues.checkMailbox);
    await queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
    await running.untilEnded(importId, 30_000);
    const verdicts = { 'graph.readWrite': 'failed', 'graph.send': 'failed' } as const;
    await expectMailboxes(connectionId, [{ cause: 'internal_error', address, verdicts }]);
  });
});

/** They need a deployment with an app of its own. See `vendor-app.test.ts` in test/e2e and test/api. */
const ofVendorApp: readonly CauseCode[] = ['admin_confirmation_missing', 'vendor_app_unusable'];

it('every other cause of the catalogue has occurred in these tests', () => {
  expect(causeCodes.filter((cause) => !seen.has(cause))).toEqual(ofVendorApp);
});

/** An app for IMAP and SMTP has no Graph roles. Only a working mailbox shows that it has consent. */
async function connectReadyByProtocol(registration: Registration, defaultMailbox?: string): Promise<string> {
  return connectReady(registration, {
    probes: ['imap', 'smtp'],
    ...(defaultMailbox !== undefined && { defaultMailbox }),
  });
}
