import { type CauseCode, causes } from '../causes/causes.ts';
import { classify } from '../causes/classify.ts';
import { type ConnectionFinding, isGraphProbe, type Verdict } from '../causes/verdict.ts';
import { changeConnection } from '../connections/change-connection.ts';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Organizations } from '../connections/organizations.ts';
import { requireConnection } from '../connections/require-connection.ts';
import type { AppToken, Audience, Tokens } from '../connections/tokens.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { finding } from './judge-answers.ts';
import type { MailboxChecker } from './mailbox-checker.ts';

interface Deps {
  connections: ConnectionStore;
  tokens: Tokens;
  checker: MailboxChecker;
  organizations: Organizations;
  /** What a token must be made out to, in the connection's cloud. */
  resourceOf: (connection: Connection, audience: Audience) => string;
  clock: Clock;
}

export type TestStep = 'token' | 'audience' | 'tenant' | 'roles' | 'organization' | 'defaultMailbox';

export interface StepResult {
  step: TestStep;
  verdict: Verdict;
  cause?: CauseCode;
  detail?: string;
  fix?: string;
  link?: string;
  /** Microsoft's own code and id of a refusal, for its support. */
  microsoftCode?: string | undefined;
  requestId?: string | undefined;
}

export interface TestResult {
  verdict: Verdict;
  steps: StepResult[];
  roles: string[];
  organization?: { displayName: string; verifiedDomains: string[] };
}

/**
 * Tests a connection by asking Microsoft now, with nothing cached: token (one for Graph, one for Exchange Online where a
 * probe needs it), whom it is made out to, what it shows as granted, and the default mailbox by a real check where there
 * is one.
 *
 * The roles are shown and only decide where nothing else can: without any, and without a default mailbox that works all
 * the same by RBAC for Applications, consent is missing. A passed test makes the connection `ready`. A failed one that
 * concerns the whole connection makes a connection that was ready `failing`.
 *
 * @throws DomainError `not_found`, `vault_unavailable`, `microsoft_throttled`, `microsoft_unavailable`
 */
export async function testConnection(needs: Deps, actor: CustomerActor, connectionId: string): Promise<TestResult> {
  const connection = await requireConnection(needs, actor, connectionId);
  const startedAt = needs.clock.now();
  needs.tokens.forget(connectionId);
  const steps: StepResult[] = [];
  const roles: string[] = [];
  let organization: TestResult['organization'];
  for (const audience of audiencesOf(connection)) {
    const answer = await needs.tokens.get(connection, audience);
    if (!answer.granted) {
      const { refusal } = answer;
      const found = finding(classify(refusal), needs.clock.now(), refusal.requestId, refusal.code);
      steps.push({ ...failed('token', found.cause), requestId: refusal.requestId, microsoftCode: refusal.code });
      await record(needs, actor, connectionId, found);
      return { verdict: causes[found.cause].verdict, steps, roles };
    }
    const token = answer.value;
    steps.push({ step: 'token', verdict: 'passed' }, ...madeOutTo(needs, connection, audience, token));
    roles.push(...token.claims.roles);
    if (audience === 'graph') organization = await needs.organizations.read(connection, token);
  }
  const mailbox = connection.defaultMailbox
    ? await checkDefaultMailbox(needs, connection, connection.defaultMailbox)
    : undefined;
  steps.push(roles.length > 0 || mailbox?.verdict === 'passed' ? { step: 'roles', verdict: 'passed' } : noRoles());
  steps.push({ step: 'organization', verdict: organization ? 'passed' : 'skipped' });
  if (mailbox) steps.push(mailbox);

  const wrong =
    steps.find((step) => step.verdict === 'failed') ?? steps.find((step) => step.verdict === 'inconclusive');
  const verdict = wrong?.verdict ?? 'passed';
  const cause = wrong?.cause;
  const concernsAll =
    cause !== undefined && (wrong?.step !== 'defaultMailbox' || causes[cause].concerns === 'connection');
  if (verdict === 'passed') await record(needs, actor, connectionId, { seenAt: startedAt });
  else if (concernsAll) await record(needs, actor, connectionId, finding(cause, needs.clock.now(), undefined));
  return { verdict, steps, roles, ...(organization && { organization }) };
}

/** Graph and Exchange Online have tokens of their own; a connection is asked for those that its probes need. */
function audiencesOf({ probes }: Connection): Audience[] {
  return [
    ...(probes.some(isGraphProbe) ? ['graph' as const] : []),
    ...(probes.every(isGraphProbe) ? [] : ['exchange' as const]),
  ];
}

/** Catches mix-ups of tenants and clouds early; hints, since the token is not validated here. */
function madeOutTo(needs: Deps, connection: Connection, audience: Audience, { claims }: AppToken): StepResult[] {
  const resource = needs.resourceOf(connection, audience);
  const isAudience = claims.audience === undefined || claims.audience.replace(/\/$/, '') === resource;
  const isTenant = claims.tenantId === undefined || claims.tenantId === connection.tenantId;
  return [
    isAudience ? { step: 'audience', verdict: 'passed' } : failed('audience', 'wrong_cloud'),
    isTenant ? { step: 'tenant', verdict: 'passed' } : failed('tenant', 'tenant_not_found'),
  ];
}

function noRoles(): StepResult {
  const step = failed('roles', 'consent_missing');
  return {
    ...step,
    fix: `${step.fix} If the app is granted access by RBAC for Applications only, set a defaultMailbox that lies in its scope: the test then proves access there.`,
  };
}

async function checkDefaultMailbox(needs: Deps, connection: Connection, address: string): Promise<StepResult> {
  const draftSubject = `Muster test ${connection.id} ${needs.clock.now().getTime()}`;
  const outcome = await needs.checker.check({
    connection,
    address,
    draftSubject,
    priorFindings: {},
    cleanFirst: false,
  });
  switch (outcome.kind) {
    case 'connectionRefused':
      return failed('defaultMailbox', outcome.finding.cause);
    case 'wait':
      // The answer cannot wait for Microsoft; what may lie in the mailbox is looked for once more.
      await needs.checker.removeLeftovers(connection, address, draftSubject).catch(() => undefined);
      return { ...failed('defaultMailbox', outcome.cause), verdict: 'inconclusive' };
    case 'checked': {
      const findings = Object.values(outcome.findings);
      const wrong =
        findings.find(({ verdict }) => verdict === 'failed') ??
        findings.find(({ verdict }) => verdict === 'inconclusive');
      if (!wrong?.cause) return { step: 'defaultMailbox', verdict: 'passed' };
      return { ...failed('defaultMailbox', wrong.cause), verdict: wrong.verdict };
    }
  }
}

function failed(step: TestStep, cause: CauseCode): StepResult {
  const { sentence, fix, link, verdict } = causes[cause];
  return { step, verdict, cause, detail: sentence, fix, link };
}

/** A connection that waits for consent has never worked, so a failed test does not make it `failing`. */
async function record(
  needs: Deps,
  actor: CustomerActor,
  connectionId: string,
  outcome: ConnectionFinding | { seenAt: Date },
): Promise<void> {
  await changeConnection(needs.connections, actor.customerId, connectionId, (current) => {
    if (current.status === 'disconnected') return undefined;
    if ('cause' in outcome) {
      return current.status === 'awaitingConsent' ? undefined : { ...current, status: 'failing', finding: outcome };
    }
    const { finding: _finding, checksHeldUntil: _held, ...rest } = current;
    const { seenAt } = outcome;
    // Consent that was given in the portal, without a consent link, is first noticed here.
    const firstSeen = current.consentedAt ? {} : { consentedAt: seenAt, grantsChangedAt: seenAt };
    return { ...rest, ...firstSeen, provenAt: seenAt, status: 'ready' };
  });
}
