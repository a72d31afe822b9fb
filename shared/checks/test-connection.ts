import { type CauseCode, causes } from '../causes/causes.ts';
import { classify, isConnectionCause } from '../causes/classify.ts';
import { connectionFinding, decisiveFinding } from '../causes/findings.ts';
import { type ConnectionFinding, isGraphProbe, type Verdict } from '../causes/verdict.ts';
import { changeConnection } from '../connections/change-connection.ts';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Organizations } from '../connections/organizations.ts';
import { requireConnection } from '../connections/require-connection.ts';
import type { AppToken, Audience, Tokens } from '../connections/tokens.ts';
import { toVerifiedDomains } from '../connections/verified-domains.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { MailboxChecker } from './mailbox-checker.ts';

export interface TestConnectionDeps {
  connections: ConnectionStore;
  tokens: Tokens;
  checker: MailboxChecker;
  organizations: Organizations;
  /** The audience that a token must have in the connection's cloud. */
  resourceOf: (connection: Connection, audience: Audience) => string;
  clock: Clock;
}

export const testSteps = ['token', 'audience', 'tenant', 'roles', 'organization', 'defaultMailbox'] as const;
type TestStep = (typeof testSteps)[number];

interface StepResult {
  step: TestStep;
  /** Whose token the step is about: Graph, or Exchange Online's IMAP and SMTP. Absent from the other steps. */
  service?: Audience;
  verdict: Verdict;
  cause?: CauseCode;
  detail?: string;
  fix?: string;
  link?: string;
  /** Microsoft's own code and request ID of a refusal, for Microsoft's support. */
  microsoftCode?: string | undefined;
  requestId?: string | undefined;
}

interface TestResult {
  verdict: Verdict;
  steps: StepResult[];
  roles: string[];
  organization?: { displayName: string; verifiedDomains: string[] };
}

/**
 * Tests a connection by asking Microsoft now, with nothing cached: gets a token for each service that the probes need,
 * checks the token's audience, tenant and roles, and checks the default mailbox by real calls if there is one.
 *
 * Roles only decide where nothing else can: without any role, and without a default mailbox that passes (through RBAC
 * for Applications), consent is missing. A passed test makes the connection `ready`, and notes the verified domains of the
 * tenant if it could read them. A test that does not pass makes a ready connection `failing`, unless the only cause is in
 * the default mailbox.
 *
 * @throws DomainError `not_found`, `vault_unavailable`, `microsoft_throttled`, `microsoft_unavailable`
 */
export async function testConnection(
  deps: TestConnectionDeps,
  actor: CustomerActor,
  connectionId: string,
): Promise<TestResult> {
  const connection = await requireConnection(deps, actor, connectionId);
  const startedAt = deps.clock.now();
  deps.tokens.forget(connectionId);
  const steps: StepResult[] = [];
  const roles: string[] = [];
  let organization: TestResult['organization'];
  for (const audience of audiencesOf(connection)) {
    const answer = await deps.tokens.get(connection, audience);
    if (!answer.granted) {
      const { refusal } = answer;
      const found = connectionFinding(classify(refusal), deps.clock.now(), refusal.requestId, refusal.code);
      steps.push({
        ...notPassed('token', found.cause),
        service: audience,
        requestId: refusal.requestId,
        microsoftCode: refusal.code,
      });
      await recordResult(deps, actor, connectionId, found);
      return { verdict: causes[found.cause].verdict, steps, roles };
    }
    const token = answer.value;
    steps.push(
      { step: 'token', service: audience, verdict: 'passed' },
      ...checkClaims(deps, connection, audience, token),
    );
    roles.push(...token.claims.roles);
    if (audience === 'graph') organization = await deps.organizations.read(connection, token);
  }
  const mailbox = connection.defaultMailbox
    ? await checkDefaultMailbox(deps, connection, connection.defaultMailbox)
    : undefined;
  const hasAccess = roles.length > 0 || mailbox?.verdict === 'passed';
  steps.push(hasAccess ? { step: 'roles', verdict: 'passed' } : notPassed('roles', 'consent_missing'));
  steps.push({ step: 'organization', verdict: organization ? 'passed' : 'skipped' });
  if (mailbox) steps.push(mailbox);

  const decisive = steps.find(hasVerdict('failed')) ?? steps.find(hasVerdict('inconclusive'));
  const cause = decisive?.cause;
  if (!decisive) {
    const verifiedDomains = toVerifiedDomains(organization?.verifiedDomains);
    await recordResult(deps, actor, connectionId, { seenAt: startedAt, verifiedDomains });
  } else if (cause && (decisive.step !== 'defaultMailbox' || isConnectionCause(cause))) {
    await recordResult(deps, actor, connectionId, connectionFinding(cause, deps.clock.now(), undefined));
  }
  return { verdict: decisive?.verdict ?? 'passed', steps, roles, ...(organization && { organization }) };
}

/** Graph and Exchange Online each need a token of their own. */
function audiencesOf({ probes }: Connection): Audience[] {
  return [
    ...(probes.some(isGraphProbe) ? ['graph' as const] : []),
    ...(probes.every(isGraphProbe) ? [] : ['exchange' as const]),
  ];
}

/** Finds mix-ups of tenants and clouds early. The claims are hints only, because the token is not validated here. */
function checkClaims(
  deps: TestConnectionDeps,
  connection: Connection,
  audience: Audience,
  { claims }: AppToken,
): StepResult[] {
  const resource = deps.resourceOf(connection, audience);
  const isAudience = claims.audience === undefined || claims.audience.replace(/\/$/, '') === resource;
  const isTenant = claims.tenantId === undefined || claims.tenantId === connection.tenantId;
  const steps: StepResult[] = [
    isAudience ? { step: 'audience', verdict: 'passed' } : notPassed('audience', 'wrong_cloud'),
    isTenant ? { step: 'tenant', verdict: 'passed' } : notPassed('tenant', 'tenant_not_found'),
  ];
  return steps.map((step) => ({ ...step, service: audience }));
}

async function checkDefaultMailbox(
  deps: TestConnectionDeps,
  connection: Connection,
  address: string,
): Promise<StepResult> {
  const draftSubject = `Muster test ${connection.id} ${deps.clock.now().getTime()}`;
  const input = { connection, address, draftSubject, priorFindings: {}, cleanFirst: false };
  const outcome = await deps.checker.check(input);
  switch (outcome.kind) {
    case 'connectionRefused':
      return notPassed('defaultMailbox', outcome.finding.cause);
    case 'wait':
      // The caller cannot wait as long as Microsoft asks. Clean up now, because no later try will.
      await deps.checker.removeLeftovers(connection, address, draftSubject).catch(() => undefined);
      return { ...notPassed('defaultMailbox', outcome.cause), verdict: 'inconclusive' };
    case 'checked': {
      const finding = decisiveFinding(outcome.findings);
      if (!finding?.cause) return { step: 'defaultMailbox', verdict: 'passed' };
      return { ...notPassed('defaultMailbox', finding.cause), verdict: finding.verdict };
    }
  }
}

const hasVerdict = (verdict: Verdict) => (step: StepResult) => step.verdict === verdict;

function notPassed(step: TestStep, cause: CauseCode): StepResult {
  const { sentence, fix, link, verdict } = causes[cause];
  return { step, verdict, cause, detail: sentence, fix, link };
}

/** A connection that waits for consent has never worked, so a failed test does not make it `failing`. */
async function recordResult(
  deps: TestConnectionDeps,
  actor: CustomerActor,
  connectionId: string,
  result: ConnectionFinding | { seenAt: Date; verifiedDomains: string[] | undefined },
): Promise<void> {
  await changeConnection(deps.connections, actor.customerId, connectionId, (current) => {
    if (current.status === 'disconnected') return undefined;
    if ('cause' in result) {
      return current.status === 'awaitingConsent' ? undefined : { ...current, status: 'failing', finding: result };
    }
    const { finding: _finding, checksHeldUntil: _held, verifiedDomains: _outdated, ...rest } = current;
    const { seenAt, verifiedDomains } = result;
    // Consent that was given in the portal, without a consent link, is first noticed here.
    const firstSeen = current.consentedAt ? {} : { consentedAt: seenAt, grantsChangedAt: seenAt };
    const known = verifiedDomains && { verifiedDomains };
    return { ...rest, ...firstSeen, ...known, provenAt: seenAt, status: 'ready' };
  });
}
