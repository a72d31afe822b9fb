import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { createTokens } from '../../../shared/adapters/entra/client-credential-tokens.ts';
import { createSendBatch } from '../../../shared/adapters/graph/batch.ts';
import { graphMail } from '../../../shared/adapters/graph/graph-mail.ts';
import { graphOffLimits } from '../../../shared/adapters/graph/graph-off-limits.ts';
import { graphRoleAssignments } from '../../../shared/adapters/graph/graph-role-assignments.ts';
import { protocolMail } from '../../../shared/adapters/mail/protocol-mail.ts';
import { createScopeCheck } from '../../../shared/checks/scope-check/run-scope-check.ts';
import type { ScopeCheck } from '../../../shared/connections/grants/scope-check.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { directGraph } from '../../support/direct-graph.ts';
import { aConnection } from '../../support/records.ts';
import { startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const sales = at('sales');
const legal = at('legal');
const board = at('board');
const offLimits = [legal, board];

const client = await startSimulatedTenant({ tenants: [wingtipTenant({})] });
const { loginUrl, graphUrl, imap, smtp } = client.simulator;
const clock = { now: () => new Date() };
const clouds = () => ({
  ...{ loginUrl, graphUrl, imap, smtp, hasPermanentDelete: true, hasMessageHeaders: true },
  graphResource: 'https://graph.microsoft.com',
  exchangeResource: 'https://outlook.office365.com',
});
const sendBatch = createSendBatch({ timeoutMs: 5_000, now: clock.now });
const sendBetaBatch = createSendBatch({ timeoutMs: 5_000, now: clock.now, version: 'beta' });
const vault = { get: async () => new Secret(wingtip.clientSecret) };
const runScopeCheck = createScopeCheck({
  tokens: createTokens({ vault, certificates: { sign: async () => undefined }, clouds, clock, timeoutMs: 5_000 }),
  offLimitsMail: graphOffLimits({ sendBatch, clouds }),
  graph: graphMail({ sendBatch, clouds }),
  roleAssignments: graphRoleAssignments({ sendBatch: sendBetaBatch, clouds }),
  protocols: protocolMail({ clouds, timeoutMs: 1_500 }),
  clock,
  stepLimitMs: 5_000,
});
const connection = aConnection({
  cloud: 'simulator',
  tenantId: wingtip.id,
  clientId: wingtip.clientId,
  grantsChangedAt: new Date(0),
});

const mailPermissions = ['Mail.ReadWrite', 'Mail.Send'] as const;
type MailPermission = (typeof mailPermissions)[number];

/** The scopes that a role of RBAC for Applications can have. `all`: an assignment without a scope. */
const scopes = { none: [], sales: [sales], withBoard: [sales, board], all: [sales, legal, board] } as const;
type Scope = keyof typeof scopes;
const isIn = (scope: Scope, address: string) => scopes[scope].some((one) => one === address);

const policies = {
  none: null,
  restrictedToSales: { restrictTo: [sales] },
  restrictedWithBoard: { restrictTo: [sales, board] },
  denied: { deny: [legal, board] },
  salesDenied: { deny: [sales] },
};
type Policy = keyof typeof policies;

/** What the admins of a tenant have set up: in Entra and by RBAC for each permission, and one policy. */
interface Setup {
  entra: Record<MailPermission, boolean>;
  rbac: Record<MailPermission, Scope>;
  policy: Policy;
  /** Whether the app may read its roles of RBAC for Applications. */
  seesRoles?: true;
}

const scopeNames = Object.keys(scopes) as Scope[];
const perPermission = [false, true].flatMap((entra) => scopeNames.map((rbac) => ({ entra, rbac })));
const allSetups: Setup[] = (Object.keys(policies) as Policy[]).flatMap((policy) =>
  perPermission.flatMap((write) =>
    perPermission.map((send) => ({
      entra: { 'Mail.ReadWrite': write.entra, 'Mail.Send': send.entra },
      rbac: { 'Mail.ReadWrite': write.rbac, 'Mail.Send': send.rbac },
      policy,
    })),
  ),
);

/** Without the scope that includes one of the addresses: the policy does. */
const setups = allSetups.filter(({ rbac }) => !Object.values(rbac).includes('withBoard'));

/** Everything that Exchange could keep of a message is kept, so that no probe can leave something unseen. */
function tenantOf(
  { entra, rbac, policy, seesRoles }: Setup,
  more: Partial<ScenarioTenantInput> = {},
): ScenarioTenantInput {
  return wingtipTenant({
    apps: [
      wingtipApp({
        grants: [
          ...mailPermissions.filter((permission) => entra[permission]),
          ...(seesRoles ? ['RoleManagement.Read.Exchange'] : []),
        ],
        rbac: mailPermissions.flatMap((permission) => {
          if (rbac[permission] === 'none') return [];
          const role = `Application ${permission}`;
          return [rbac[permission] === 'all' ? { role } : { role, members: [...scopes[rbac[permission]]] }];
        }),
        accessPolicy: policies[policy],
      }),
    ],
    mailboxes: [sales, legal, board].map((address) => ({ address })),
    sendLeavesDraft: true,
    ...more,
  });
}

/**
 * Microsoft's rules: what Entra grants, narrowed by the policy, and what RBAC grants, count together.
 * https://learn.microsoft.com/exchange/permissions-exo/application-rbac
 */
function isAllowed({ entra, rbac, policy }: Setup, permission: MailPermission, address: string): boolean {
  const isBlocked = {
    none: false,
    restrictedToSales: address !== sales,
    restrictedWithBoard: address === legal,
    denied: address !== sales,
    salesDenied: address === sales,
  }[policy];
  return (entra[permission] && !isBlocked) || isIn(rbac[permission], address);
}

/** The verdict of the table, from what the app may really do. */
function trueVerdict(setup: Setup): ScopeCheck['verdict'] {
  const access = (permission: MailPermission) => ({
    inScope: isAllowed(setup, permission, sales),
    open: offLimits.filter((address) => isAllowed(setup, permission, address)).length,
  });
  const all = mailPermissions.map(access);
  if (all.some(({ open }) => open === 1)) return 'scopeTooWide';
  if (all.every(({ open }) => open === 0)) return all.some(({ inScope }) => inScope) ? 'scoped' : 'inconclusive';
  // Where the app reaches everything, only its roles show that somebody has set up a scope.
  const isScopeVisible = setup.seesRoles && mailPermissions.some((permission) => setup.rbac[permission] === 'sales');
  const isScopeSeen = isScopeVisible || all.some(({ open, inScope }) => open === 0 && inScope);
  return isScopeSeen ? 'scopePresentButUnscopedGrant' : 'tenantWide';
}

const check = async () => (await runScopeCheck(connection, offLimits, sales)).result;

function expectTrueFindings(setup: Setup, { offLimits: named, inScope }: ScopeCheck): void {
  for (const { address, findings } of inScope ? [...named, inScope] : named) {
    for (const { permission, answer } of findings) {
      const needed = permission === 'Mail.Send' ? permission : 'Mail.ReadWrite';
      const truth = isAllowed(setup, needed, address) ? 'allowed' : 'refused';
      if (answer !== 'inconclusive')
        expect(`${address} ${permission} ${answer}`).toBe(`${address} ${permission} ${truth}`);
    }
  }
}

interface Logged {
  method: string;
  route: string;
  status: number;
  mailbox?: string;
}

function expectNothingWritten(): void {
  expect([...client.simulator.world.mail.touched()].map(({ address }) => address)).toEqual([]);
}

/** No call that changes something was accepted, and nothing but the inbox itself was read. */
async function expectNoEffect(): Promise<void> {
  const { items } = await client.control<{ items: Logged[] }>('/log?limit=20000');
  const ofMailboxes = items.filter(({ mailbox }) => mailbox !== undefined);
  expect(ofMailboxes.length).toBeGreaterThan(0);
  expect(ofMailboxes.filter(({ method, status }) => method !== 'GET' && status >= 200 && status < 300)).toEqual([]);
  expect(new Set(ofMailboxes.filter(({ method }) => method === 'GET').map(({ route }) => route))).toEqual(
    new Set(['/v1.0/users/{user}/mailFolders/{folder}']),
  );
}

describe('every combination of grants in Entra, roles of RBAC for Applications, and an application access policy', () => {
  beforeEach(() => void vi.stubGlobal('fetch', directGraph(client.simulator)));
  afterEach(() => void vi.unstubAllGlobals());

  it(`${setups.length} of them get the verdict of the table, and leave nothing in any mailbox`, async () => {
    const seen = new Map<string, number>();
    for (const setup of setups) {
      client.put(tenantOf(setup));
      const result = await check();
      expectTrueFindings(setup, result);
      expect({ setup, verdict: result.verdict }).toEqual({ setup, verdict: trueVerdict(setup) });
      seen.set(result.verdict, (seen.get(result.verdict) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual([
      'inconclusive',
      'scopePresentButUnscopedGrant',
      'scopeTooWide',
      'scoped',
      'tenantWide',
    ]);
    expectNothingWritten();
    await expectNoEffect();
  }, 180_000);

  it('an app that may read its roles is told of every scope that a grant in Entra defeats', async () => {
    const withoutPolicy = setups.filter(({ policy }) => policy === 'none');
    for (const one of withoutPolicy) {
      const setup = { ...one, seesRoles: true as const };
      client.put(tenantOf(setup));
      const { verdict, assignments } = await check();
      expect({ setup, verdict }).toEqual({ setup, verdict: trueVerdict(setup) });
      const scoped = mailPermissions.filter((permission) => setup.rbac[permission] === 'sales');
      const seen = assignments?.filter(({ isScoped }) => isScoped).map(({ role }) => role);
      expect(seen).toEqual(scoped.map((permission) => `Application ${permission}`));
    }
    const classic = withoutPolicy.filter(
      ({ entra, rbac }) =>
        Object.values(entra).every(Boolean) && Object.values(rbac).every((scope) => scope === 'sales'),
    );
    expect(classic.map((setup) => [trueVerdict(setup), trueVerdict({ ...setup, seesRoles: true })])).toEqual([
      ['tenantWide', 'scopePresentButUnscopedGrant'],
    ]);
    expectNothingWritten();
  }, 180_000);
});

it('never claims what is not so while Microsoft throttles, fails and loses answers', async () => {
  const rates = fc.record({
    throttled: fc.constantFrom(0, 0.2),
    unavailable: fc.constantFrom(0, 0.2),
    dropped: fc.constantFrom(0, 0.1),
    garbage: fc.constantFrom(0, 0.1),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...allSetups), rates, async (setup, faultRates) => {
      client.put(tenantOf(setup, { faultRates }));
      const result = await check();
      expectTrueFindings(setup, result);
      if (result.verdict === 'scoped') expect(trueVerdict(setup)).toBe('scoped');
      if (result.verdict === 'inconclusive') expect(result.cause).toBeDefined();
    }),
    { numRuns: Number(process.env.RUNS ?? 25) },
  );
  expectNothingWritten();
}, 180_000);

it('IMAP and SMTP must be refused as well, if the connection uses them', async () => {
  const grants = ['IMAP.AccessAsApp', 'SMTP.SendAsApp'];
  const rbac = ['Application SMTP.SendAsApp', 'Application Mail Full Access'].map((role) => ({
    role,
    members: [sales],
  }));
  const withFullAccess = (...addresses: string[]) =>
    wingtipTenant({
      apps: [wingtipApp({ grants, rbac })],
      mailboxes: [sales, legal, board].map((address) => ({
        address,
        fullAccess: addresses.includes(address) ? [wingtip.clientId] : [],
      })),
    });
  const uses = aConnection({ ...connection, probes: ['imap', 'smtp'] });
  client.put(withFullAccess(sales));
  const { result } = await runScopeCheck(uses, offLimits, sales);
  expect(result).toMatchObject({ verdict: 'scoped', roles: grants });
  expect(result.inScope?.findings.map(({ permission, answer }) => `${permission} ${answer}`)).toEqual([
    'Mail.Read allowed',
    'Mail.ReadWrite allowed',
    'Mail.Send allowed',
    'IMAP.AccessAsApp allowed',
    'SMTP.SendAsApp allowed',
  ]);
  client.put(withFullAccess(sales, legal));
  expect((await runScopeCheck(uses, offLimits, sales)).result.verdict).toBe('scopeTooWide');
  expectNothingWritten();
});

it('roles of RBAC for Applications are in Graph’s beta version only', async () => {
  client.put(wingtipTenant({ apps: [wingtipApp({ grants: ['RoleManagement.Read.Exchange'] })] }));
  expect(await client.graph('GET', '/roleManagement/exchange/roleAssignments')).toMatchObject({
    status: 400,
    body: { error: { code: 'BadRequest' } },
  });
});
