import { InvocationContext, type Timer, type TimerHandler } from '@azure/functions';
import { expect, it } from 'vitest';
import { addRemoveOrphanedSecretsTimer } from '../../../functions/timers/remove-orphaned-secrets.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { allPagesOf } from '../../support/all-pages.ts';
import { createApiDeps } from '../../support/api.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

type ApiDeps = ReturnType<typeof createApiDeps>;

/** Runs the timer once. Resolves to the names of what it has logged. */
async function run(deps: ApiDeps): Promise<string> {
  let handler: TimerHandler = () => undefined;
  const host = {
    timer(_name: string, options: { handler: TimerHandler }) {
      handler = options.handler;
    },
  };
  addRemoveOrphanedSecretsTimer(host as never, deps);
  const logged: unknown[] = [];
  const context = new InvocationContext({
    functionName: 'remove-orphaned-secrets',
    logHandler: (...args) => void logged.push(args),
  });
  await handler({ isPastDue: false } as Timer, context);
  return JSON.stringify(logged);
}

/** A vault with `count` old credentials of each kind that no record names. */
async function createDeps({ count, customer }: { count: number; customer: boolean }): Promise<ApiDeps> {
  const deps = createApiDeps();
  if (customer) await deps.customers.insert({ id: 'cust_1', name: 'Acme', createdAt: deps.time.now });
  for (let i = 0; i < count; i++) {
    const name = { customerId: 'cust_1', connectionId: `conn_${i}`, version: 'v1' };
    await deps.vault.put(name, new Secret('x'), new Date(8e15), 'clientSecret');
    await deps.certificates.make(name, { commonName: 'Muster', validMonths: 12 });
    await deps.signingSecrets.create({ id: `hook_${i}`, customerId: 'cust_1' });
  }
  deps.time.now = new Date(deps.time.now.getTime() + HOUR_MS);
  return deps;
}

const leftIn = async ({ vault, certificates, signingSecrets }: ApiDeps) => [
  vault.names().length,
  (await allPagesOf(certificates)).length,
  signingSecrets.owners().length,
];

it('removes nothing from the vault while there is no customer, because the tables may be lost', async () => {
  const deps = await createDeps({ count: 1, customer: false });
  expect(await run(deps)).toContain('orphan_search_skipped');
  expect(await leftIn(deps)).toEqual([1, 1, 1]);
});

it('removes what has no owner as soon as there is a customer', async () => {
  const deps = await createDeps({ count: 3, customer: true });
  await run(deps);
  expect(await leftIn(deps)).toEqual([0, 0, 0]);
});

it('ends after five minutes, however large the vault is, and the next run goes on there', async () => {
  const deps = await createDeps({ count: 6, customer: true });
  // Each look takes two minutes, so that a run has three pages of two.
  const slow = <T extends object>(list: T & { page: (...args: never[]) => Promise<unknown> }): T => ({
    ...list,
    page(...args: never[]) {
      deps.time.now = new Date(deps.time.now.getTime() + 2 * MINUTE_MS);
      return list.page(...args);
    },
  });
  const { vault, certificates, signingSecrets } = deps;
  const all = {
    ...deps,
    ...{ vault: slow(vault), certificates: slow(certificates), signingSecrets: slow(signingSecrets) },
  };
  await run(all);
  expect(await leftIn(deps)).toEqual([0, 6, 6]);
  await run(all);
  expect(await leftIn(deps)).toEqual([0, 0, 6]);
  await run(all);
  expect(await leftIn(deps)).toEqual([0, 0, 0]);
});

it('is done with many pages on which nothing is ours in the same time', async () => {
  const deps = await createDeps({ count: 0, customer: true });
  let pages = 0;
  const page = async () => {
    deps.time.now = new Date(deps.time.now.getTime() + MINUTE_MS);
    return { items: [], cursor: String(++pages) };
  };
  await run({ ...deps, vault: { ...deps.vault, page } });
  expect(pages).toBe(5);
});

it('goes on where a process was killed', async () => {
  const deps = await createDeps({ count: 4, customer: true });
  const { certificates } = deps;
  const never = () => new Promise<never>(() => undefined);
  void run({ ...deps, certificates: { ...certificates, page: never } });
  await expect.poll(async () => (await deps.orphanSearchProgress.get())?.value.cursor).toBe('certificates');
  deps.time.now = new Date(deps.time.now.getTime() + MINUTE_MS);
  await run({ ...deps, vault: { ...deps.vault, page: never } });
  expect(await leftIn(deps)).toEqual([0, 0, 0]);
});

it('fails at the end when one secret has failed, after the others', async () => {
  const deps = await createDeps({ count: 3, customer: true });
  const { vault } = deps;
  const remove = async (id: string, version: string) => {
    if (id === 'conn_0') throw new Error('the vault refuses');
    await vault.remove(id, version);
  };
  await expect(run({ ...deps, vault: { ...vault, remove } })).rejects.toThrow('the vault refuses');
  expect(vault.names()).toEqual(['conn_0']);
  expect((await leftIn(deps)).slice(1)).toEqual([0, 0]);
  expect((await deps.orphanSearchProgress.get())?.value).toEqual({});
});
