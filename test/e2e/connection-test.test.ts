import { describe, expect, it } from 'vitest';
import { knownAadsts } from '../../local/microsoft365/entra/aadsts.ts';
import { type CauseCode, causes } from '../../shared/causes/causes.ts';
import { explain } from '../../shared/causes/explain.ts';
import { plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

interface Step {
  step: string;
  service?: string;
  verdict: string;
  cause?: string;
  detail?: string;
  fix?: string;
  link?: string;
  microsoftCode?: string;
}
interface Result {
  verdict: string;
  steps: Step[];
  roles: string[];
  organization?: { displayName: string };
}

const mailbox = `jane@${tenant.domain}`;
const grants = ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'];
const STEP_SECONDS = 3;

const running = useRunningStack(plainTenant(1, { mailboxes: [{ address: mailbox }] }), {
  settings: {
    CONNECTION_TEST_STEP: `PT${STEP_SECONDS}S`,
    CONNECTION_TESTS_PER_MINUTE: '1000',
    VAULT_TIMEOUT: 'PT1.5S',
  },
});

type App = { tokenError: string | null; grants: string[] };
type Mailboxes = { address: string; fault?: string }[];

interface Circumstances {
  fault?: string;
  throttleSeconds?: number;
  clockOffsetSeconds?: number;
}

async function given(app: Partial<App>, more: Circumstances = {}): Promise<void> {
  await running.changeTenant((changed) => {
    for (const one of changed.apps ?? []) Object.assign(one, { tokenError: null, grants }, app);
    for (const one of (changed.mailboxes ?? []) as Mailboxes) {
      if (one.address === mailbox && more.fault) one.fault = more.fault;
    }
    changed.clockOffsetSeconds = more.clockOffsetSeconds ?? 0;
    if (more.throttleSeconds) changed.throttle = { retryAfterSeconds: more.throttleSeconds };
  });
}

let connection: { id: string } | undefined;
async function test(): Promise<{ retryAfter: string | null; result: Result }> {
  connection ??= await running.connect({ defaultMailbox: mailbox });
  const url = `${running.stack.local().apiUrl}/v1/connections/${connection.id}/test`;
  const headers = { authorization: `Bearer ${running.ownerKey}` };
  const response = await running.fetch(new Request(url, { method: 'POST', headers }));
  expect(response.status).toBe(200);
  const result = (await response.json()) as Result;
  return { retryAfter: response.headers.get('retry-after'), result };
}

const ORDER = ['authority', 'credential', 'tenant', 'audience', 'roles', 'organization', 'defaultMailbox'];

/** Expects every step up to this one to have passed, this one to say what is wrong, and the others to be skipped. */
function expectStoppedAt(name: string, { result }: { result: Result }, cause: CauseCode): Step {
  expect(result.steps.map(({ step }) => step)).toEqual(ORDER);
  const at = ORDER.indexOf(name);
  const verdicts = result.steps.map(({ verdict }) => verdict);
  expect(verdicts.slice(0, at)).toEqual(Array(at).fill('passed'));
  const { verdict } = causes[cause];
  const { fix, link } = explain(cause, { probes: ['graph.readWrite', 'graph.send'] });
  expect(result.steps[at]).toMatchObject({ verdict, cause, fix, link, detail: expect.stringMatching(/\S.{10}/) });
  expect(verdicts.slice(at + 1)).toEqual(Array(ORDER.length - at - 1).fill('skipped'));
  expect(result.verdict).toBe(verdict);
  return result.steps[at] as Step;
}

/** What each refusal of a token by Microsoft Entra means. Codes that only a defect of ours can cause are not recognized. */
const causeByCode: Record<number, CauseCode> = {
  7000215: 'secret_wrong',
  7000222: 'secret_expired',
  700016: 'app_not_found',
  7000229: 'service_principal_missing',
  700011: 'app_not_found',
  700038: 'app_not_found',
  90002: 'tenant_not_found',
  900023: 'tenant_not_found',
  90038: 'wrong_cloud',
  900432: 'wrong_cloud',
  900382: 'wrong_cloud',
  7000112: 'app_disabled',
  1000031: 'app_disabled',
  53003: 'conditional_access_blocked',
  530032: 'conditional_access_blocked',
  530035: 'conditional_access_blocked',
  65001: 'consent_missing',
  500011: 'service_missing',
  650052: 'service_missing',
  650056: 'app_misconfigured',
  650057: 'app_misconfigured',
  700025: 'app_misconfigured',
  700027: 'certificate_not_registered',
  700024: 'clock_wrong',
  700021: 'certificate_wrong',
  70025: 'certificate_wrong',
  700211: 'certificate_wrong',
  700212: 'certificate_wrong',
  700213: 'certificate_wrong',
  50196: 'throttled',
  90055: 'throttled',
};
const TRANSIENT = [50000, 50033, 90006, 90012, 90024, 90033, 90090];
const causeOf = (code: number): CauseCode =>
  causeByCode[code] ?? (TRANSIENT.includes(code) ? 'microsoft_unavailable' : 'unknown_refusal');

describe('the connection test', () => {
  it('passes when all is well, with every step', async () => {
    await given({});
    const { result, retryAfter } = await test();
    expect(result.steps.map(({ step }) => step)).toEqual(ORDER);
    expect(result.steps.map(({ verdict }) => verdict)).toEqual(Array(ORDER.length).fill('passed'));
    expect(result).toMatchObject({ verdict: 'passed', organization: { displayName: 'Tailspin' } });
    expect(retryAfter).toBeNull();
  });

  it('names step, verdict, cause, fix and link for every code of Microsoft Entra, and always answers 200', async () => {
    expect(knownAadsts.length).toBeGreaterThan(50);
    for (const code of knownAadsts) {
      await given({ tokenError: `AADSTS${code}` });
      const tested = await test();
      const cause = causeOf(code);
      const step = expectStoppedAt('credential', tested, cause);
      const isWait = cause === 'throttled' || cause === 'microsoft_unavailable';
      if (isWait) expect(Number(tested.retryAfter)).toBeGreaterThan(0);
      else expect([tested.retryAfter, step.microsoftCode]).toEqual([null, `AADSTS${code}`]);
    }
  }, 120_000);

  it('is inconclusive while Microsoft throttles or is down, and says when to test again', async () => {
    await given({ tokenError: 'throttled' }, { throttleSeconds: 42 });
    const throttled = await test();
    expectStoppedAt('credential', throttled, 'throttled');
    expect(throttled.retryAfter).toBe('42');
    await given({ tokenError: 'down' });
    const down = await test();
    expectStoppedAt('credential', down, 'microsoft_unavailable');
    expect(down.retryAfter).toBe('10');
  });

  it.each([
    ['the authority', 'credential', { tokenError: 'noAnswer' }, {}],
    ['the default mailbox', 'defaultMailbox', {}, { fault: 'noAnswer' }],
  ])('is inconclusive when %s is silent, after the time limit of a step', async (_, at, app, more) => {
    await given(app, more);
    const slow = await test();
    const step = expectStoppedAt(at, slow, 'microsoft_unavailable');
    expect(step.detail).toContain(`within ${STEP_SECONDS} seconds`);
    expect(slow.retryAfter).toBe('10');
  });

  it.each([
    ['throttles', 'throttled', 1],
    ['has withdrawn our role (403)', 'forbidden', 1],
    // After a 5xx, the vault’s client asks once more.
    ['is unavailable', 'unavailable', 2],
    ['is silent', 'noAnswer', 1],
  ] as const)(
    'is inconclusive when our vault %s, blames nobody else, and passes afterwards',
    async (_, fault, times) => {
      await given({});
      expect((await test()).result.verdict).toBe('passed');
      running.stack.vault.fail(fault, times);
      const bad = await test();
      expectStoppedAt('credential', bad, 'vault_unavailable');
      expect(bad.retryAfter).toBe('10');
      const after = await test();
      expect(after.result.verdict).toBe('passed');
    },
  );

  it.each([
    [300, 'Our clock is 5 minutes behind Microsoft’s.'],
    [-300, 'Our clock is 5 minutes ahead of Microsoft’s.'],
  ])('passes, and says so with a fix, if our clock is off by %s seconds', async (clockOffsetSeconds, detail) => {
    await given({}, { clockOffsetSeconds });
    const { result } = await test();
    expect(result.verdict).toBe('passed');
    const { fix, link } = causes.clock_wrong;
    expect(result.steps[0]).toMatchObject({
      step: 'authority',
      verdict: 'passed',
      cause: 'clock_wrong',
      detail,
      fix,
      link,
    });
    await given({}, { clockOffsetSeconds: clockOffsetSeconds / 10 });
    expect((await test()).result.steps[0]).toEqual({ step: 'authority', verdict: 'passed' });
  });

  it('leaves the status as it is when it is inconclusive, and ends a finding when it passes', async () => {
    const id = connection?.id ?? '';
    const status = async () => {
      const { status, finding, lastTest } = await running.owner.expect<{
        status: string;
        finding: { cause: string } | null;
        lastTest: { verdict: string };
      }>(200, 'GET', `/v1/connections/${id}`);
      return [status, finding?.cause, lastTest.verdict];
    };
    await given({});
    await test();
    expect(await status()).toEqual(['ready', undefined, 'passed']);
    await given({ tokenError: 'down' });
    await test();
    expect(await status()).toEqual(['ready', undefined, 'inconclusive']);
    await given({ grants: ['User.Read.All'] });
    await test();
    expect(await status()).toEqual(['failing', 'permission_missing', 'failed']);
    await given({ tokenError: 'throttled' });
    await test();
    expect(await status()).toEqual(['failing', 'permission_missing', 'inconclusive']);
    await given({});
    await test();
    expect(await status()).toEqual(['ready', undefined, 'passed']);
  });

  it('says so if the tenant is unknown, and asks no further', async () => {
    const unknown = await running.muster.connections.create({
      name: 'Nobody',
      tenant: '00000000-feed-4bad-8bad-000000000404',
      clientId: tenant.clientId,
      clientSecret: tenant.clientSecret,
      clientSecretExpiresAt: '2035-12-31',
      cloud: 'simulator',
    });
    const result: Result = await running.muster.connections.test(unknown.id);
    expectStoppedAt('authority', { result }, 'tenant_not_found');
    await expect(running.muster.imports.start(unknown.id, `email\n${mailbox}\n`)).rejects.toMatchObject({
      status: 409,
      code: 'connection_not_ready',
    });
  });
});

describe('a scope check', () => {
  const ceo = `ceo@${tenant.domain}`;
  interface Scope {
    verdict: string;
    cause?: string;
    inScope: { address: string } | null;
    offLimits: { answer: string }[];
  }
  const check = async () => {
    const path = `/v1/connections/${connection?.id}/scope-check`;
    const answer = await running.owner.call<Scope>('POST', path, { body: { offLimits: [ceo] } });
    expect(answer.status).toBe(200);
    return answer;
  };
  const restrict = (grants: string[], tokenError: string | null = null) =>
    running.changeTenant((changed) => {
      changed.mailboxes = [...(changed.mailboxes ?? []), { address: ceo }];
      changed.sendLeavesDraft = true;
      const rbac = [{ role: 'Application Mail Full Access', members: [mailbox] }];
      for (const one of changed.apps ?? []) Object.assign(one, { grants, rbac, tokenError });
    });

  it('proves a scope, shows it on the mailbox, and leaves nothing where the app has no business', async () => {
    await given({});
    await test();
    const { id } = connection ?? { id: '' };
    await running.muster.connections.update(id, { defaultMailbox: null });
    const started = await running.startImport(id, `email\n${mailbox}\n`);
    await running.untilEnded(started.id, 20_000);

    await restrict([]);
    expect((await check()).body).toMatchObject({ verdict: 'scoped', inScope: { address: mailbox } });
    const read = <Body>(path: string) => running.owner.expect<Body>(200, 'GET', `/v1/connections/${id}${path}`);
    expect(await read('')).toMatchObject({ lastScopeCheck: { verdict: 'scoped', offLimits: [{ address: ceo }] } });
    expect(await read(`/mailboxes/${mailbox}`)).toMatchObject({ scope: 'inScope' });

    await restrict(['Mail.Send']);
    expect((await check()).body).toMatchObject({ verdict: 'scopePresentButUnscopedGrant' });
    expect(await read(`/mailboxes/${mailbox}`)).toMatchObject({ scope: 'tenantWide' });

    const { address: _address, ...contents } = await running.simulator<Record<string, unknown[]>>(
      'GET',
      `/_simulator/mailboxes/${ceo}`,
    );
    expect(Object.values(contents).flat()).toEqual([]);
  });

  it('answers 200 while Microsoft is throttled or down, and says when to check again', async () => {
    for (const [tokenError, cause] of [
      ['throttled', 'throttled'],
      ['down', 'microsoft_unavailable'],
    ] as const) {
      await restrict([], tokenError);
      const { body, headers } = await check();
      expect(body).toMatchObject({ verdict: 'inconclusive', cause, offLimits: [{ answer: 'inconclusive' }] });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });
});
