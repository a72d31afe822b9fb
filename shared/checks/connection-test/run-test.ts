import { type CauseCode, causes } from '../../causes/causes.ts';
import { classify } from '../../causes/classify.ts';
import { knownOf } from '../../causes/explain.ts';
import { decisiveFinding } from '../../causes/findings.ts';
import type { Probe } from '../../causes/verdict.ts';
import { type Connection, hasOwnApp } from '../../connections/connection.ts';
import {
  decisiveStep,
  type StepResult,
  type TestResult,
  type TestStep,
} from '../../connections/readiness/connection-test.ts';
import type { Organizations } from '../../connections/tenant/organizations.ts';
import type { TenantDirectory } from '../../connections/tenant/tenant-directory.ts';
import {
  type AppToken,
  type Audience,
  audiencesOf,
  probesOf,
  type TokenAnswer,
  type Tokens,
} from '../../connections/tokens.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { MailboxChecker } from '../mailbox-checker.ts';
import { judgeRoles } from './judge-roles.ts';
import { type Answered, type NoAnswer, withinLimit } from './within-limit.ts';

export interface ConnectionTestDeps {
  tenants: TenantDirectory;
  tokens: Pick<Tokens, 'get' | 'forget'>;
  checker: MailboxChecker;
  organizations: Organizations;
  /** The audience that a token must have in the connection's cloud. */
  resourceOf: (connection: Connection, audience: Audience) => string;
  clock: Clock;
  /** How long one step waits for Microsoft. */
  stepLimitMs: number;
}

/** The result of a test, and when to test again if Microsoft did not answer. */
export interface TestedConnection {
  result: TestResult;
  retryAfterSeconds?: number;
}

/** Every role of Microsoft's is shorter, and no app has as many. */
const ROLES_MAX = 100;
const ROLE_MAX_LENGTH = 100;

/**
 * Creates the connection test: it asks Microsoft now, with nothing cached, and changes nothing.
 *
 * Resolves to every step, whatever happens: a refusal makes a step `failed`. If Microsoft or our vault is throttled,
 * unavailable or slow, it is `inconclusive`. Questions that do not depend on each other are asked at the same time.
 */
export function createConnectionTest(deps: ConnectionTestDeps): (connection: Connection) => Promise<TestedConnection> {
  return async (connection) => {
    const testedAt = deps.clock.now();
    deps.tokens.forget(connection.id);
    const waits: number[] = [];
    const noAnswer = (step: TestStep, why: NoAnswer, service?: Audience): StepResult => {
      waits.push(why.retryAfterSeconds);
      const { cause, detail } = why;
      return { step, ...(service && { service }), verdict: 'inconclusive', cause, detail };
    };
    const ask = <T>(work: Promise<T>) => withinLimit(deps.stepLimitMs, work);

    const [authority, ...answers] = await Promise.all([
      ask(deps.tenants.find(connection.cloud, connection.tenantId)),
      ...audiencesOf(connection.probes).map(async (audience) => ({
        audience,
        answer: await ask(deps.tokens.get(connection, audience)),
      })),
    ]);

    // Whatever its documents say, an authority that answers a token request is reached.
    const isReached = answers.some(({ answer }) => answer.answered);
    const first =
      isReached && !authority.answered ? passed('authority') : judgeAuthority(connection, authority, noAnswer);
    const isKnown = first.verdict !== 'failed';
    const steps = [
      first,
      ...answers.flatMap(({ audience, answer }) =>
        isKnown ? judgeToken(deps, connection, audience, answer, noAnswer) : skipToken(audience),
      ),
    ];
    const tokens = answers.flatMap(({ audience, answer }) =>
      answer.answered && answer.value.granted ? [{ audience, token: answer.value.value }] : [],
    );
    const roles = tokens.flatMap(({ token }) => token.claims.roles.map((role) => role.slice(0, ROLE_MAX_LENGTH)));

    if (!isKnown || tokens.length < answers.length) {
      steps.push(skipped('roles'), skipped('organization'), skipped('defaultMailbox'));
      return outcome(testedAt, steps, isKnown ? roles : [], waits);
    }
    const graphToken = tokens.find(({ audience }) => audience === 'graph')?.token;
    const [organization, mailbox] = await Promise.all([
      readOrganization(deps, connection, graphToken),
      checkDefaultMailbox(deps, connection, noAnswer),
    ]);
    steps.push(
      judgeRoles(connection, roles, mailbox.verdict === 'passed'),
      organization ? passed('organization') : skipped('organization'),
      mailbox,
    );
    return outcome(testedAt, steps, roles, waits, organization);
  };
}

function outcome(
  testedAt: Date,
  steps: StepResult[],
  roles: string[],
  waits: number[],
  organization?: TestResult['organization'],
): TestedConnection {
  const verdict = decisiveStep({ steps })?.verdict ?? 'passed';
  return {
    result: { testedAt, verdict, steps, roles: roles.slice(0, ROLES_MAX), ...(organization && { organization }) },
    ...(waits.length > 0 && { retryAfterSeconds: Math.max(...waits) }),
  };
}

type ToNoAnswer = (step: TestStep, why: NoAnswer, service?: Audience) => StepResult;

const passed = (step: TestStep): StepResult => ({ step, verdict: 'passed' });
const skipped = (step: TestStep): StepResult => ({ step, verdict: 'skipped' });
const refused = (step: TestStep, cause: CauseCode): StepResult => ({ step, verdict: causes[cause].verdict, cause });
const skipToken = (service: Audience): StepResult[] =>
  (['credential', 'tenant', 'audience'] as const).map((step) => ({ step, service, verdict: 'skipped' }));

function judgeAuthority(
  connection: Connection,
  answer: Answered<Awaited<ReturnType<TenantDirectory['find']>>>,
  noAnswer: ToNoAnswer,
): StepResult {
  if (!answer.answered) return noAnswer('authority', answer.why);
  if (!answer.value) return refused('authority', 'tenant_not_found');
  const { cloud, clockAheadMs = 0 } = answer.value;
  if (cloud === connection.cloud) return judgeClock(clockAheadMs);
  const detail = `${causes.wrong_cloud.sentence} It is in the cloud "${cloud}".`;
  return { ...refused('authority', 'wrong_cloud'), detail };
}

/** Microsoft accepts signatures whose time is five minutes off at most. A client secret has no time. */
const CLOCK_OFF_MS = 120_000;

/** A clock that is wrong is told while everything works, because a certificate would soon be refused. */
function judgeClock(aheadMs: number): StepResult {
  if (Math.abs(aheadMs) < CLOCK_OFF_MS) return passed('authority');
  const minutes = Math.round(Math.abs(aheadMs) / 60_000);
  const detail = `Our clock is ${minutes} minutes ${aheadMs > 0 ? 'behind' : 'ahead of'} Microsoft’s.`;
  return { ...passed('authority'), cause: 'clock_wrong', detail };
}

/** Finds mix-ups of tenants and clouds early. The claims are hints only, because the token is not validated here. */
function judgeToken(
  deps: Pick<ConnectionTestDeps, 'resourceOf'>,
  connection: Connection,
  service: Audience,
  answer: Answered<TokenAnswer>,
  noAnswer: ToNoAnswer,
): StepResult[] {
  const [, ...afterCredential] = skipToken(service);
  if (!answer.answered) return [noAnswer('credential', answer.why, service), ...afterCredential];
  if (!answer.value.granted) {
    const { refusal } = answer.value;
    const { code: microsoftCode, requestId } = refusal;
    const ids = { ...(microsoftCode && { microsoftCode }), ...(requestId !== undefined && { requestId }) };
    const cause = classify(refusal);
    const about = knownOf(cause, { probes: probesOf(connection.probes, service), isVendorApp: !hasOwnApp(connection) });
    return [{ ...refused('credential', cause), ...about, service, ...ids }, ...afterCredential];
  }
  const { claims } = answer.value.value;
  const resource = deps.resourceOf(connection, service);
  const isTenant = claims.tenantId === undefined || claims.tenantId === connection.tenantId;
  const isAudience = claims.audience === undefined || claims.audience.replace(/\/$/, '') === resource;
  return [
    { ...passed('credential'), service },
    { ...(isTenant ? passed('tenant') : refused('tenant', 'tenant_not_found')), service },
    { ...(isAudience ? passed('audience') : refused('audience', 'wrong_cloud')), service },
  ];
}

/** Only shown, so nothing waits for it: without the permission or an answer there is none. */
async function readOrganization(
  deps: ConnectionTestDeps,
  connection: Connection,
  token: AppToken | undefined,
): Promise<TestResult['organization']> {
  if (!token) return undefined;
  const answer = await withinLimit(deps.stepLimitMs, deps.organizations.read(connection, token));
  return answer.answered ? answer.value : undefined;
}

async function checkDefaultMailbox(
  deps: ConnectionTestDeps,
  connection: Connection,
  noAnswer: ToNoAnswer,
): Promise<StepResult> {
  const { defaultMailbox: address } = connection;
  if (address === undefined) return skipped('defaultMailbox');
  const answer = await withinLimit(deps.stepLimitMs, askMailbox(deps, connection, address));
  if (!answer.answered) return noAnswer('defaultMailbox', answer.why);
  const { step, retryAfterSeconds } = answer.value;
  if (retryAfterSeconds === undefined || !step.cause) return step;
  const cause = step.cause === 'throttled' ? 'throttled' : 'microsoft_unavailable';
  return { ...noAnswer('defaultMailbox', { cause, detail: causes[step.cause].sentence, retryAfterSeconds }), ...step };
}

async function askMailbox(
  deps: ConnectionTestDeps,
  connection: Connection,
  address: string,
): Promise<{ step: StepResult; retryAfterSeconds?: number }> {
  const draftSubject = `Muster test ${connection.id} ${deps.clock.now().getTime()}`;
  const input = { connection, address, draftSubject, priorFindings: {}, cleanFirst: false };
  const checked = await deps.checker.check(input);
  switch (checked.kind) {
    case 'connectionRefused': {
      const { cause, microsoftCode, requestId } = checked.finding;
      const ids = { ...(microsoftCode && { microsoftCode }), ...(requestId !== undefined && { requestId }) };
      return { step: { ...refused('defaultMailbox', cause), ...ids } };
    }
    case 'wait': {
      // The caller cannot wait as long as Microsoft asks. Clean up now, because no later try will.
      await deps.checker.removeLeftovers(connection, address, draftSubject).catch(() => undefined);
      const { cause, seconds = 10, microsoftCode, requestId } = checked;
      const ids = { ...(microsoftCode && { microsoftCode }), ...(requestId !== undefined && { requestId }) };
      return { step: { step: 'defaultMailbox', verdict: 'inconclusive', cause, ...ids }, retryAfterSeconds: seconds };
    }
    case 'checked': {
      const finding = decisiveFinding(checked.findings);
      if (!finding?.cause) return { step: passed('defaultMailbox') };
      const { cause, verdict, detail, denial, microsoftCode, requestId } = finding;
      const probe = Object.entries(checked.findings).find(([, one]) => one === finding)?.[0] as Probe;
      const about = {
        ...knownOf(cause, { probes: [probe], denial, isVendorApp: !hasOwnApp(connection) }),
        ...(detail !== undefined && { detail }),
      };
      const ids = { ...(microsoftCode && { microsoftCode }), ...(requestId !== undefined && { requestId }) };
      return { step: { step: 'defaultMailbox', verdict, cause, ...about, ...ids } };
    }
  }
}
