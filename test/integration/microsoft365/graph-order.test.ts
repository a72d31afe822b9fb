import { beforeAll, describe, expect, it } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { type ErrorBody, type RequestOptions, startSimulatedTenant } from '../../support/simulator-client.ts';
import { type AppInput, at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const client = await startSimulatedTenant();

const jane = at('jane');
const omar = at('omar');

/** What can be wrong with a call of sendMail, in the order in which it is checked, and the error for it. */
const steps = [
  { name: 'token', code: 'InvalidAuthenticationToken' },
  { name: 'identity', code: 'Authorization_IdentityNotFound' },
  { name: 'body', code: 'BadRequest' },
  { name: 'mailbox', code: 'ErrorInvalidUser' },
  { name: 'permission', code: 'ErrorAccessDenied', message: /^Access is denied/ },
  { name: 'policy', code: 'ErrorAccessDenied', message: /^Access to OData is disabled/ },
  { name: 'meaning', code: 'ErrorInvalidRecipients' },
  { name: 'store', code: 'ErrorMailboxStoreUnavailable' },
] as const;
type Step = (typeof steps)[number];
type Faults = ReadonlySet<Step['name']>;

describe('if a call has several faults, the error is for the one checked first:', () => {
  const appFaults = ['identity', 'permission', 'policy'] as const;
  const clientIdOf = (faults: Faults) =>
    `a1d4f7c2-6b3e-4958-9c0d-00000000000${appFaults.reduce((sum, kind, n) => sum + (faults.has(kind) ? 2 ** n : 0), 0)}`;
  const appFor = (faults: Faults): AppInput => ({
    ...wingtipApp({
      grants: faults.has('permission') ? ['Mail.ReadWrite'] : ['Mail.Send'],
      accessPolicy: faults.has('policy') ? { deny: ['*'] } : null,
      identityMissing: faults.has('identity'),
    }),
    clientId: clientIdOf(faults),
  });
  const subsetsOf = <T>(all: readonly T[]): T[][] =>
    all.reduce<T[][]>((sets, one) => sets.concat(sets.map((set) => [...set, one])), [[]]);
  const mailboxes = [{ address: jane }, { address: omar, fault: 'error:ErrorMailboxStoreUnavailable' as const }];
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    const apps = subsetsOf(appFaults).map((kinds) => appFor(new Set(kinds)));
    client.put(wingtipTenant({ apps, mailboxes }));
    for (const { clientId } of apps) tokens.set(clientId, await client.token(undefined, clientId));
  });

  const request = (faults: Faults) => {
    const user = faults.has('mailbox') ? at('nobody') : faults.has('store') ? omar : jane;
    const toRecipients = faults.has('meaning') ? [] : [{ emailAddress: { address: 'a@elsewhere.example' } }];
    return { path: `/users/${user}/sendMail`, body: { message: { toRecipients } } };
  };
  const optionsFor = (faults: Faults): RequestOptions => ({
    token: faults.has('token') ? 'a.b.c' : (tokens.get(clientIdOf(faults)) ?? ''),
    body: faults.has('body') ? '{' : request(faults).body,
  });
  const firstOf = (faults: Faults) => steps.find(({ name }) => faults.has(name));
  const expectError = (body: ErrorBody, first: Step | undefined) => {
    expect(body.error?.code).toBe(first?.code);
    if (first && 'message' in first) expect(body.error?.message).toMatch(first.message);
  };

  const neighbors = steps.flatMap((earlier, n) => steps.slice(n + 1, n + 2).map((later) => ({ earlier, later })));
  it.each(neighbors)('$earlier.name before $later.name', async ({ earlier, later }) => {
    const faults = new Set([earlier.name, later.name]);
    expectError((await client.graph('POST', request(faults).path, optionsFor(faults))).body, earlier);
  });

  it('any combination', async () => {
    for (const names of subsetsOf(steps.map(({ name }) => name))) {
      const faults: Faults = new Set(names);
      const result = await client.graph('POST', request(faults).path, optionsFor(faults));
      expectError(result.body, firstOf(faults));
      if (names.length === 0) expect(result.status).toBe(202);
    }
  });

  it('any combination in a part of a batch', async () => {
    const stepsOfPart = ['mailbox', 'permission', 'policy', 'meaning', 'store'] as const;
    for (const names of subsetsOf(stepsOfPart)) {
      const faults: Faults = new Set(names);
      const { path: url, body } = request(faults);
      const headers = { 'Content-Type': 'application/json' };
      const result = await client.graph<{ responses: { body: ErrorBody | null }[] }>('POST', '/$batch', {
        ...optionsFor(faults),
        body: { requests: [{ id: '1', method: 'POST', url, headers, body }] },
      });
      expectError(result.body.responses[0]?.body ?? {}, firstOf(faults));
    }
  });

  it.each([
    ['a rejected token', 'InvalidAuthenticationToken', '{'],
    ['an unknown app', 'Authorization_IdentityNotFound', '{'],
  ])('%s as a mailbox fault before the body', async (_, code, body) => {
    client.put(wingtipTenant({ mailboxes: [{ address: jane, fault: `error:${code}` }] }));
    expect((await client.graph('POST', `/users/${jane}/sendMail`, { body })).body.error?.code).toBe(code);
  });
});

describe('what an app may do with a mailbox', () => {
  type TenantWithApp = Partial<ScenarioTenantInput> & { app?: Partial<AppInput> };

  const draft = (user: string) => client.graph('POST', `/users/${user}/messages`, { body: { subject: 'x' } });
  const send = (user: string) => client.graph('POST', `/users/${user}/sendMail`, { body: { message: {} } });
  const read = (user: string) => client.graph('GET', `/users/${user}/mailFolders/inbox`);

  /** `no` means not permitted. `policy` means permitted, but blocked by a policy. */
  async function may(call: (user: string) => ReturnType<typeof draft>, user = jane): Promise<'yes' | 'no' | 'policy'> {
    const { status, body } = await call(user);
    if (status < 300 || body.error?.code === 'ErrorInvalidRecipients') return 'yes';
    expect([status, body.error?.code]).toEqual([403, 'ErrorAccessDenied']);
    return /RAOP/.test(body.error?.message ?? '') ? 'policy' : 'no';
  }

  function putTenant({ app = {}, ...more }: TenantWithApp): void {
    client.put(
      wingtipTenant({
        apps: [wingtipApp({ grants: [], ...app })],
        mailboxes: [{ address: jane, upn: at('jdoe'), aliases: [at('j.doe')] }, { address: omar }],
        recipients: [
          { address: at('sales'), kind: 'group', members: [jane] },
          { address: at('everybody'), kind: 'group', members: [at('sales'), omar] },
        ],
        ...more,
      }),
    );
  }

  it('is what Entra grants plus what RBAC for Applications grants', async () => {
    putTenant({ app: { grants: ['Mail.Send'], rbac: [{ role: 'Application Mail.ReadWrite', members: [jane] }] } });
    expect([await may(send), await may(draft)]).toEqual(['yes', 'yes']);
    expect([await may(send, omar), await may(draft, omar)]).toEqual(['yes', 'no']);
  });

  it('is not limited by an RBAC scope if Entra grants the same permission for the whole tenant', async () => {
    putTenant({ app: { grants: ['Mail.Send'], rbac: [{ role: 'Mail.Send', members: [jane] }] } });
    expect(await may(send, omar)).toBe('yes');
  });

  it.each([
    ['Application Mail Full Access', ['yes', 'yes']],
    ['Application Exchange Full Access', ['yes', 'yes']],
    ['Application Mail.Read', ['no', 'no']],
    ['Mail.Send', ['yes', 'no']],
  ])('follows from the RBAC role: %s', async (role, expected) => {
    putTenant({ app: { rbac: [{ role }] } });
    expect([await may(send), await may(draft)]).toEqual(expected);
  });

  it('does not include writing for a reader: opening the inbox proves only a right to read', async () => {
    putTenant({ app: { grants: ['Mail.ReadBasic.All'] } });
    expect([await may(read), await may(draft), await may(send)]).toEqual(['yes', 'no', 'no']);
  });

  it('is limited by a policy, which blocks only what Entra grants', async () => {
    putTenant({ app: { grants: ['Mail.Send', 'Mail.ReadWrite'], accessPolicy: { restrictTo: [omar] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['policy', 'yes']);
    putTenant({
      app: {
        grants: ['Mail.Send', 'Mail.ReadWrite'],
        rbac: [{ role: 'Mail.Send', members: [jane] }],
        accessPolicy: { restrictTo: [omar] },
      },
    });
    expect([await may(send), await may(draft)]).toEqual(['yes', 'policy']);
  });

  it('is denied if one policy denies it and another allows it', async () => {
    putTenant({ app: { grants: ['Mail.Send'], accessPolicy: { restrictTo: [jane, omar], deny: [jane] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['policy', 'yes']);
  });

  it.each([
    ['an address', [jane]],
    ['an alias', [at('j.doe')]],
    ['a user principal name', [at('JDoe')]],
    ['a pattern', ['j*@wingtip.example']],
    ['a group with the mailbox as a direct member', [at('sales')]],
  ])('covers a mailbox named by %s', async (_, members) => {
    putTenant({ app: { rbac: [{ role: 'Mail.Send', members }] } });
    expect([await may(send), await may(send, omar)]).toEqual(['yes', 'no']);
  });

  it('does not cover members of a nested group, by RBAC or by policy', async () => {
    putTenant({ app: { rbac: [{ role: 'Mail.Send', members: [at('everybody')] }] } });
    expect([await may(send), await may(send, omar)]).toEqual(['no', 'yes']);
    putTenant({ app: { grants: ['Mail.Send'], accessPolicy: { restrictTo: [at('everybody')] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['policy', 'yes']);
    putTenant({ app: { grants: ['Mail.Send'], accessPolicy: { deny: [at('everybody')] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['yes', 'policy']);
  });

  it('ends immediately when a grant is removed, and begins with the first token after a new grant', async () => {
    const world = client.simulator.world;
    putTenant({ app: { grants: ['Mail.Send'] } });
    const firstToken = await client.token();
    const sendWith = (token: string) =>
      client.graph('POST', `/users/${jane}/sendMail`, { token, body: { message: {} } });
    const app = world.tenant(wingtip.id)?.scenario.apps[0];
    app?.grants.splice(0);
    expect((await sendWith(firstToken)).body.error?.code).toBe('ErrorAccessDenied');
    const tokenBeforeGrant = await client.token();
    app?.grants.push('Mail.Send');
    expect((await sendWith(tokenBeforeGrant)).body.error?.code).toBe('ErrorAccessDenied');
    expect((await sendWith(await client.token())).body.error?.code).toBe('ErrorInvalidRecipients');
  });

  it('takes time to propagate, with a plain denial until then', async () => {
    const propagation = { seconds: 60 };
    putTenant({ app: { grants: ['Mail.Send'], accessPolicy: { deny: [jane] } }, propagation, grantsFreshSeconds: 30 });
    expect(await may(send)).toBe('no');
    putTenant({ app: { grants: ['Mail.Send'], accessPolicy: { deny: [jane] } }, propagation, grantsFreshSeconds: 61 });
    expect(await may(send)).toBe('policy');
  });
});
