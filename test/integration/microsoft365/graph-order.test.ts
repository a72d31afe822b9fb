import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import {
  type AppInput,
  type Asked,
  at,
  type ErrorBody,
  openSimulator,
  type SimulatorClient,
  wingtip,
  wingtipApp,
  wingtipTenant,
} from '../../support/simulator-client.ts';

let client: SimulatorClient;
beforeAll(async () => {
  client = await openSimulator({ tenants: [wingtipTenant()] });
});
afterAll(() => client.close());

const jane = at('jane');
const omar = at('omar');

/** What can be wrong with one call of sendMail, from the first that is looked at to the last, and what is said then. */
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
type Wrong = ReadonlySet<Step['name']>;

describe('of several faults at once the one that is looked at first is told', () => {
  const appKinds = ['identity', 'permission', 'policy'] as const;
  const clientIdOf = (wrong: Wrong) =>
    `a1d4f7c2-6b3e-4958-9c0d-00000000000${appKinds.reduce((sum, kind, n) => sum + (wrong.has(kind) ? 2 ** n : 0), 0)}`;
  const appFor = (wrong: Wrong): AppInput => ({
    ...wingtipApp({
      grants: wrong.has('permission') ? ['Mail.ReadWrite'] : ['Mail.Send'],
      accessPolicy: wrong.has('policy') ? { deny: ['*'] } : null,
      identityMissing: wrong.has('identity'),
    }),
    clientId: clientIdOf(wrong),
  });
  const subsetsOf = <T>(all: readonly T[]): T[][] =>
    all.reduce<T[][]>((sets, one) => sets.concat(sets.map((set) => [...set, one])), [[]]);
  const mailboxes = [{ address: jane }, { address: omar, fault: 'error:ErrorMailboxStoreUnavailable' as const }];
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    const apps = subsetsOf(appKinds).map((kinds) => appFor(new Set(kinds)));
    client.put(wingtipTenant({ apps, mailboxes }));
    for (const { clientId } of apps) tokens.set(clientId, await client.token(undefined, clientId));
  });

  const request = (wrong: Wrong) => {
    const user = wrong.has('mailbox') ? at('nobody') : wrong.has('store') ? omar : jane;
    const toRecipients = wrong.has('meaning') ? [] : [{ emailAddress: { address: 'a@elsewhere.example' } }];
    return { path: `/users/${user}/sendMail`, body: { message: { toRecipients } } };
  };
  const asked = (wrong: Wrong): Asked => ({
    token: wrong.has('token') ? 'a.b.c' : (tokens.get(clientIdOf(wrong)) ?? ''),
    body: wrong.has('body') ? '{' : request(wrong).body,
  });
  const firstOf = (wrong: Wrong) => steps.find(({ name }) => wrong.has(name));
  const expectTold = (body: ErrorBody, first: Step | undefined) => {
    expect(body.error?.code).toBe(first?.code);
    if (first && 'message' in first) expect(body.error?.message).toMatch(first.message);
  };

  it.each(steps.slice(1).map((later, n) => ({ later, earlier: steps[n] as Step })))(
    '$earlier.name before $later.name',
    async ({ earlier, later }) => {
      const wrong = new Set([earlier.name, later.name]);
      expectTold((await client.graph('POST', request(wrong).path, asked(wrong))).body, earlier);
    },
  );

  it('whichever they are', async () => {
    for (const names of subsetsOf(steps.map(({ name }) => name))) {
      const wrong: Wrong = new Set(names);
      const told = await client.graph('POST', request(wrong).path, asked(wrong));
      expectTold(told.body, firstOf(wrong));
      if (names.length === 0) expect(told.status).toBe(202);
    }
  });

  it('as a part of a batch too', async () => {
    const inParts = ['mailbox', 'permission', 'policy', 'meaning', 'store'] as const;
    for (const names of subsetsOf(inParts)) {
      const wrong: Wrong = new Set(names);
      const { path: url, body } = request(wrong);
      const headers = { 'Content-Type': 'application/json' };
      const told = await client.graph<{ responses: { body: ErrorBody | null }[] }>('POST', '/$batch', {
        ...asked(wrong),
        body: { requests: [{ id: '1', method: 'POST', url, headers, body }] },
      });
      expectTold(told.body.responses[0]?.body ?? {}, firstOf(wrong));
    }
  });

  it.each([
    ['a rejected token', 'InvalidAuthenticationToken', '{'],
    ['an app that is not known', 'Authorization_IdentityNotFound', '{'],
  ])('%s of a mailbox’s fault comes before the body, too', async (_, code, body) => {
    client.put(wingtipTenant({ mailboxes: [{ address: jane, fault: `error:${code}` }] }));
    expect((await client.graph('POST', `/users/${jane}/sendMail`, { body })).body.error?.code).toBe(code);
  });
});

describe('what an app may do at a mailbox', () => {
  type Rights = Partial<ScenarioTenantInput> & { app?: Partial<AppInput> };

  const draft = (user: string) => client.graph('POST', `/users/${user}/messages`, { body: { subject: 'x' } });
  const send = (user: string) => client.graph('POST', `/users/${user}/sendMail`, { body: { message: {} } });
  const read = (user: string) => client.graph('GET', `/users/${user}/mailFolders/inbox`);

  /** `yes`, `no` (not permitted) or `policy` (permitted, and kept away by a policy). */
  async function may(call: (user: string) => ReturnType<typeof draft>, user = jane): Promise<'yes' | 'no' | 'policy'> {
    const { status, body } = await call(user);
    if (status < 300 || body.error?.code === 'ErrorInvalidRecipients') return 'yes';
    expect([status, body.error?.code]).toEqual([403, 'ErrorAccessDenied']);
    return /RAOP/.test(body.error?.message ?? '') ? 'policy' : 'no';
  }

  function given({ app = {}, ...more }: Rights): void {
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

  it('is what Entra grants, united with what RBAC for Applications grants there', async () => {
    given({ app: { grants: ['Mail.Send'], rbac: [{ role: 'Application Mail.ReadWrite', members: [jane] }] } });
    expect([await may(send), await may(draft)]).toEqual(['yes', 'yes']);
    expect([await may(send, omar), await may(draft, omar)]).toEqual(['yes', 'no']);
  });

  it('is not narrowed by an RBAC scope where Entra grants the same for the whole tenant', async () => {
    given({ app: { grants: ['Mail.Send'], rbac: [{ role: 'Mail.Send', members: [jane] }] } });
    expect(await may(send, omar)).toBe('yes');
  });

  it.each([
    ['Application Mail Full Access', ['yes', 'yes']],
    ['Application Exchange Full Access', ['yes', 'yes']],
    ['Application Mail.Read', ['no', 'no']],
    ['Mail.Send', ['yes', 'no']],
  ])('of RBAC: %s', async (role, expected) => {
    given({ app: { rbac: [{ role }] } });
    expect([await may(send), await may(draft)]).toEqual(expected);
  });

  it('does not let a reader write: an inbox that opens proves no more than a right to read', async () => {
    given({ app: { grants: ['Mail.ReadBasic.All'] } });
    expect([await may(read), await may(draft), await may(send)]).toEqual(['yes', 'no', 'no']);
  });

  it('ends at a policy, which keeps only the grants of Entra away', async () => {
    given({ app: { grants: ['Mail.Send', 'Mail.ReadWrite'], accessPolicy: { restrictTo: [omar] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['policy', 'yes']);
    given({
      app: {
        grants: ['Mail.Send', 'Mail.ReadWrite'],
        rbac: [{ role: 'Mail.Send', members: [jane] }],
        accessPolicy: { restrictTo: [omar] },
      },
    });
    expect([await may(send), await may(draft)]).toEqual(['yes', 'policy']);
  });

  it('is denied where one policy denies it and another lets it through', async () => {
    given({ app: { grants: ['Mail.Send'], accessPolicy: { restrictTo: [jane, omar], deny: [jane] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['policy', 'yes']);
  });

  it.each([
    ['an address', [jane]],
    ['an alias', [at('j.doe')]],
    ['a user principal name', [at('JDoe')]],
    ['a pattern', ['j*@wingtip.example']],
    ['a group that it is a direct member of', [at('sales')]],
  ])('holds for a mailbox that is named by %s', async (_, members) => {
    given({ app: { rbac: [{ role: 'Mail.Send', members }] } });
    expect([await may(send), await may(send, omar)]).toEqual(['yes', 'no']);
  });

  it('does not reach members of a group within a group, neither by RBAC nor by policy', async () => {
    given({ app: { rbac: [{ role: 'Mail.Send', members: [at('everybody')] }] } });
    expect([await may(send), await may(send, omar)]).toEqual(['no', 'yes']);
    given({ app: { grants: ['Mail.Send'], accessPolicy: { restrictTo: [at('everybody')] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['policy', 'yes']);
    given({ app: { grants: ['Mail.Send'], accessPolicy: { deny: [at('everybody')] } } });
    expect([await may(send), await may(send, omar)]).toEqual(['yes', 'policy']);
  });

  it('ends at once when it is taken back, and begins only with a new token when it is granted', async () => {
    const world = client.simulator.world;
    given({ app: { grants: ['Mail.Send'] } });
    const token = await client.token();
    const sendWith = (held: string) =>
      client.graph('POST', `/users/${jane}/sendMail`, { token: held, body: { message: {} } });
    const app = world.tenant(wingtip.id)?.scenario.apps[0];
    app?.grants.splice(0);
    expect((await sendWith(token)).body.error?.code).toBe('ErrorAccessDenied');
    const before = await client.token();
    app?.grants.push('Mail.Send');
    expect((await sendWith(before)).body.error?.code).toBe('ErrorAccessDenied');
    expect((await sendWith(await client.token())).body.error?.code).toBe('ErrorInvalidRecipients');
  });

  it('takes its time to arrive: until then it is a plain denial', async () => {
    const propagation = { seconds: 60 };
    given({ app: { grants: ['Mail.Send'], accessPolicy: { deny: [jane] } }, propagation, grantsFreshSeconds: 30 });
    expect(await may(send)).toBe('no');
    given({ app: { grants: ['Mail.Send'], accessPolicy: { deny: [jane] } }, propagation, grantsFreshSeconds: 61 });
    expect(await may(send)).toBe('policy');
  });
});
