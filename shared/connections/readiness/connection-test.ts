import type { CauseCode } from '../../causes/causes.ts';
import { isConnectionCause, isWaitCause } from '../../causes/classify.ts';
import { explain, knownOf } from '../../causes/explain.ts';
import type { ConnectionFinding, DenialHints, Probe, Verdict } from '../../causes/verdict.ts';
import type { Connection } from '../connection.ts';
import { applyRegistration, type RegistrationView } from '../expiry/app-registration.ts';
import { toVerifiedDomains } from '../tenant/verified-domains.ts';
import type { Audience } from '../tokens.ts';

/** The steps of a connection test, in their order. */
export const testSteps = [
  'authority',
  'credential',
  'tenant',
  'audience',
  'roles',
  'organization',
  'defaultMailbox',
] as const;
export type TestStep = (typeof testSteps)[number];

export interface StepResult {
  step: TestStep;
  /** Whose token the step is about: Graph, or Exchange Online's IMAP and SMTP. Absent from the other steps. */
  service?: Audience;
  verdict: Verdict;
  cause?: CauseCode;
  /** The probes that the cause is about, if it is about permissions. */
  probes?: readonly Probe[];
  /** If the default mailbox denied a probe. */
  denial?: DenialHints;
  /** If the app is the vendor's, and the fix depends on it. */
  isVendorApp?: true;
  /** A sentence about this test; absent if the sentence of the cause says enough. */
  detail?: string;
  /** Microsoft's own code and request ID of a refusal, for Microsoft's support. */
  microsoftCode?: string;
  requestId?: string;
}

export interface TestResult {
  /** When it began. */
  testedAt: Date;
  verdict: Verdict;
  /** Every step, in order. The steps that depend on one that did not pass are `skipped`. */
  steps: StepResult[];
  /** The permissions that the tokens show. */
  roles: string[];
  organization?: { displayName: string; verifiedDomains: string[] };
  /** What Entra shows about the client secret. Only of a test that has passed. */
  registration?: RegistrationView;
}

export type LastTest = Omit<TestResult, 'organization' | 'registration'>;

/** The step that decides the verdict of a test that has not passed: a failed one before an inconclusive one. */
export function decisiveStep({ steps }: Pick<TestResult, 'steps'>): StepResult | undefined {
  return steps.find(({ verdict }) => verdict === 'failed') ?? steps.find(({ verdict }) => verdict === 'inconclusive');
}

/** Before the first consent, these say no more than that it is missing. Consent ends them. */
export const awaitedCauses: ReadonlySet<CauseCode> = new Set([
  'consent_missing',
  'service_principal_missing',
  'admin_confirmation_missing',
]);

/**
 * The connection after a test: the result is kept, and its status follows.
 *
 * A passed test makes it `ready`. A problem of the whole connection makes it `failing`, except that a connection without
 * consent goes on awaiting it. Nothing else changes the status: neither a test that Microsoft did not answer nor a problem
 * of the default mailbox alone. A test of another credential or app, or one that began before a test that passed, is out of
 * date. It changes nothing.
 *
 * @param tested the connection as it was tested
 */
export function applyTest(current: Connection, tested: Connection, result: TestResult): Connection | undefined {
  const isOfAnother = current.credential.version !== tested.credential.version || current.clientId !== tested.clientId;
  const isOlder = current.lastTest !== undefined && result.testedAt < current.lastTest.testedAt;
  if (current.status === 'disconnected' || isOfAnother || isOlder) return undefined;
  const { testedAt } = result;
  if (result.verdict === 'passed') {
    const { finding: _over, checksHeldUntil: _held, verifiedDomains: _older, ...rest } = current;
    const verifiedDomains = toVerifiedDomains(result.organization?.verifiedDomains);
    // Consent that was given in the portal, without a consent link, is first noticed here.
    const firstSeen = current.consentedAt ? {} : { consentedAt: testedAt, grantsChangedAt: testedAt };
    const ready = { provenAt: testedAt, status: 'ready', lastTest: toLastTest(result) } as const;
    const passed = { ...rest, ...firstSeen, ...(verifiedDomains && { verifiedDomains }), ...ready };
    return applyRegistration(passed, result.registration);
  }
  const finding = findingOf(result);
  const lastTest = toLastTest(result);
  if (!finding) return { ...current, lastTest };
  const isAwaiting = current.status === 'awaitingConsent' && !current.consentedAt && awaitedCauses.has(finding.cause);
  return { ...current, lastTest, finding, status: isAwaiting ? 'awaitingConsent' : 'failing' };
}

/** As it is stored: a tenant may have more domains than a record can hold. What Entra shows has a place of its own. */
function toLastTest({ organization: _shownOnce, registration: _elsewhere, ...result }: TestResult): LastTest {
  return result;
}

/** The problem of the whole connection that a test has found, if it has. */
function findingOf(result: TestResult): ConnectionFinding | undefined {
  const step = decisiveStep(result);
  if (!step?.cause) return undefined;
  const { cause, detail, microsoftCode, requestId } = step;
  if (isWaitCause(cause) || cause === 'vault_unavailable') return undefined;
  if (step.step === 'defaultMailbox' && !isConnectionCause(cause)) return undefined;
  return {
    cause,
    ...knownOf(cause, step),
    detail: detail ?? explain(cause, step).sentence,
    seenAt: result.testedAt,
    ...(microsoftCode && { microsoftCode }),
    ...(requestId !== undefined && { requestId }),
  };
}
