import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isExpiredLink } from '../../../shared/directory/directory-finding.ts';
import type { DirectoryRead } from '../../../shared/directory/directory-record.ts';
import { purgeDirectory } from '../../../shared/directory/read-directory.ts';
import { removeOldDirectories, sweepDirectories } from '../../../shared/directory/refresh-directory.ts';
import { newTenantPace } from '../../../shared/imports/pacing/tenant-pace.ts';
import { tenantKeyOf } from '../../../shared/imports/tenant-key.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { aUser, createDirectoryWorld } from '../../support/directory-world.ts';

const throttled = (retryAfterSeconds?: number) =>
  ({
    kind: 'refused',
    refusal: {
      service: 'graph',
      status: 429,
      code: 'TooManyRequests',
      message: '',
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    },
  }) as const;
const denied = {
  kind: 'refused',
  refusal: { service: 'graph', status: 403, code: 'Authorization_RequestDenied', message: '', requestId: 'r1' },
} as const;

async function readWorld() {
  const world = await createDirectoryWorld();
  for (const name of ['ann', 'bob', 'eve', 'jim']) world.tenantUsers.put(aUser(name));
  world.tenantUsers.put(aUser('support', { isEnabled: false, isLicensed: false }));
  await world.refresh();
  await world.untilRead();
  return world;
}

it('lists every user once, and asks only the mailboxes about which the directory cannot tell', async () => {
  const { entries, tenantUsers, record } = await readWorld();
  expect(await entries()).toMatchObject([
    { address: 'ann@contoso.example', kind: 'user', isEligible: true },
    { address: 'bob@contoso.example' },
    { address: 'eve@contoso.example' },
    { address: 'jim@contoso.example' },
    { address: 'support@contoso.example', kind: 'shared', isEligible: true },
  ]);
  expect(tenantUsers.requests).toEqual(['linkToChanges', 'list', 'list', 'changes', 'judge']);
  expect(await record()).toMatchObject({ readAt: expect.any(Date) });
  expect(await record()).not.toHaveProperty('read');
});

it('asks for what has changed the next time, and nothing else', async () => {
  const world = await readWorld();
  const { tenantUsers } = world;
  tenantUsers.requests.length = 0;
  tenantUsers.put(aUser('ann', { primaryAddress: 'anna@contoso.example' }));
  tenantUsers.put(aUser('new'));
  tenantUsers.remove('id-bob');
  await world.refresh();
  await world.untilRead();
  expect(tenantUsers.requests).toEqual(['changes', 'get']);
  expect(await world.addresses()).toEqual([
    'anna@contoso.example',
    'eve@contoso.example',
    'jim@contoso.example',
    'new@contoso.example',
    'support@contoso.example',
  ]);
});

it('takes a user who has lost the address from the list', async () => {
  const world = await readWorld();
  const { primaryAddress: _address, ...bob } = aUser('bob');
  world.tenantUsers.remove('id-bob');
  world.tenantUsers.put(bob);
  await world.refresh();
  await world.untilRead();
  expect(await world.addresses()).not.toContain('bob@contoso.example');
});

it('loses no change that happens while the users are listed', async () => {
  const world = await createDirectoryWorld();
  const { tenantUsers } = world;
  for (let n = 0; n < 9; n++) tenantUsers.put(aUser(`user${n}`));
  tenantUsers.before = (request) => {
    if (request !== 'list') return;
    tenantUsers.before = () => undefined;
    tenantUsers.put(aUser('late'));
    tenantUsers.put(aUser('user0', { displayName: 'Zero' }));
    tenantUsers.remove('id-user8');
  };
  await world.refresh();
  await world.untilRead();
  expect(await world.addresses()).toContain('late@contoso.example');
  expect(await world.addresses()).not.toContain('user8@contoso.example');
});

it('reads everything again when the link to changes has expired', async () => {
  const world = await readWorld();
  world.tenantUsers.remove('id-bob');
  world.tenantUsers.expireLinks();
  await world.refresh();
  await world.untilRead();
  expect(await world.addresses()).toHaveLength(4);
  expect(world.tenantUsers.requests.filter((request) => request === 'linkToChanges')).toHaveLength(2);
  expect(await world.record()).not.toHaveProperty('finding');
});

it.each([
  [410, 'anything'],
  [400, 'syncStateNotFound'],
  [400, 'Directory_ExpiredPageToken'],
  [400, 'BadRequest'],
  [404, 'UnknownError'],
])('takes %i %s for a link that does not work any more', (status, code) => {
  expect(isExpiredLink({ service: 'graph', status, code, message: '' })).toBe(true);
});

it.each([401, 403, 429, 503])('does not take %i for a link that does not work any more', (status) => {
  expect(isExpiredLink({ service: 'graph', status, code: 'BadRequest', message: '' })).toBe(false);
});

it('reads everything again when Microsoft refuses its own link for a reason that nobody knows, and fails if that does not help', async () => {
  const strange = {
    kind: 'refused',
    refusal: { service: 'graph', status: 400, code: 'BadRequest', message: 'Badly formed token.' },
  } as const;
  const world = await readWorld();
  world.tenantUsers.put(aUser('new'));
  world.tenantUsers.nextAnswers.push(strange);
  await world.refresh();
  await world.untilRead();
  expect(await world.record()).not.toHaveProperty('finding');
  expect(await world.entries()).toHaveLength(6);
  // A request without a link is refused for another reason.
  world.tenantUsers.nextAnswers.push(strange, strange);
  await world.refresh();
  await world.untilRead();
  expect(await world.record()).toMatchObject({ finding: { cause: 'unknown_refusal' } });
});

it('asks again for a new user whom Microsoft does not find yet, and not forever', async () => {
  const world = await readWorld();
  const { tenantUsers } = world;
  tenantUsers.put(aUser('new'));
  tenantUsers.hidden.add('id-new');
  tenantUsers.before = () => {
    if (tenantUsers.requests.filter((request) => request === 'get').length === 2) tenantUsers.hidden.clear();
  };
  await world.refresh();
  await world.untilRead();
  expect(await world.addresses()).toContain('new@contoso.example');
  tenantUsers.put(aUser('gone'));
  tenantUsers.hidden.add('id-gone');
  tenantUsers.before = () => undefined;
  await world.refresh();
  await world.untilRead();
  expect(await world.record()).not.toHaveProperty('finding');
});

it('asks the other mailboxes if some never answer, and these with the next read', async () => {
  const world = await createDirectoryWorld();
  const { tenantUsers } = world;
  const names = Array.from({ length: 50 }, (_, n) => `m${String(n).padStart(2, '0')}`);
  for (const name of names) tenantUsers.put(aUser(name, { isLicensed: false }));
  for (const name of names.slice(0, 25)) tenantUsers.silent.add(`id-${name}`);
  await world.refresh();
  await world.untilRead();
  const judged = async () => (await world.entries()).filter(({ judgement }) => judgement === 'done').length;
  expect(await judged()).toBe(25);
  expect(await world.record()).not.toHaveProperty('finding');
  tenantUsers.silent.clear();
  await world.refresh();
  await world.untilRead();
  expect(await judged()).toBe(50);
});

it('does not take an outage for mailboxes that never answer', async () => {
  const world = await createDirectoryWorld();
  for (let n = 0; n < 400; n++) world.tenantUsers.put(aUser(`user${n}`, { isLicensed: false }));
  world.tenantUsers.pageSize = 500;
  for (const id of world.tenantUsers.users.keys()) world.tenantUsers.silent.add(id);
  await world.refresh();
  await world.untilRead();
  expect(await world.record()).toMatchObject({
    readAt: expect.any(Date),
    finding: { cause: 'microsoft_unavailable' },
  });
});

it('asks with a fresh token if Microsoft does not accept the old one any more', async () => {
  const world = await createDirectoryWorld();
  world.tenantUsers.put(aUser('ann'));
  const revoked = { service: 'graph', status: 401, code: 'InvalidAuthenticationToken', message: '' } as const;
  world.tenantUsers.nextAnswers.push({ kind: 'refused', refusal: revoked });
  await world.refresh();
  await world.untilRead();
  expect(world.tokens.forgotten).toBe(1);
  expect(await world.entries()).toHaveLength(1);
});

it('names the least permission that is missing, with a fresh token, and keeps what it knew', async () => {
  const world = await readWorld();
  world.tenantUsers.nextAnswers.push(denied, denied);
  await world.refresh();
  await world.untilRead();
  expect(await world.record()).toMatchObject({
    finding: { cause: 'permission_missing', permission: 'User.Read.All', microsoftCode: 'Authorization_RequestDenied' },
    readAt: expect.any(Date),
  });
  expect(world.tokens.forgotten).toBe(1);
  expect(await world.entries()).toHaveLength(5);
  // Once it is granted, the next refresh goes on.
  await world.refresh();
  await world.untilRead();
  expect(await world.record()).not.toHaveProperty('finding');
});

it('goes on with a fresh token if the permission is newer than the old one', async () => {
  const world = await createDirectoryWorld();
  world.tenantUsers.put(aUser('ann'));
  world.tenantUsers.nextAnswers.push(denied);
  await world.refresh();
  await world.untilRead();
  expect(await world.record()).not.toHaveProperty('finding');
  expect(await world.entries()).toHaveLength(1);
});

it('waits as long as Microsoft says, and by a delayed message if that is long', async () => {
  const world = await createDirectoryWorld();
  world.tenantUsers.put(aUser('ann'));
  await world.refresh();
  world.tenantUsers.nextAnswers.push(throttled(120));
  await world.deliver();
  const asked = world.tenantUsers.requests.length;
  // Nobody asks earlier, however many messages come.
  await world.deliver();
  world.pass(60_000);
  await world.deliver();
  expect(world.tenantUsers.requests).toHaveLength(asked);
  world.pass(60_000);
  await world.deliver();
  expect(await world.addresses()).toEqual(['ann@contoso.example']);
});

it('asks faster again after each answer, also after waits that are long', async () => {
  const world = await createDirectoryWorld();
  const { tenantUsers, directory } = world;
  for (let n = 0; n < 120; n++) tenantUsers.put(aUser(`user${n}`));
  let asked = 0;
  tenantUsers.before = () => {
    // Throttled and answered in turn, until the time between two requests is the longest.
    if (++asked <= 16 && asked % 2 === 0) tenantUsers.nextAnswers.push(throttled());
  };
  const stored: { spacingMs: number; tries: number }[] = [];
  const { commit } = directory;
  directory.commit = async (...args) => {
    const { read } = args[1];
    if (read) stored.push({ spacingMs: read.spacingMs, tries: read.tries });
    return commit(...args);
  };
  await world.refresh();
  await world.untilRead();
  expect(await world.addresses()).toHaveLength(120);
  const lastThrottled = stored.findLastIndex(({ tries }) => tries > 0);
  expect(stored[lastThrottled]?.spacingMs).toBe(4_000);
  const afterwards = stored.slice(lastThrottled + 1).map(({ spacingMs }) => spacingMs);
  expect(afterwards).toEqual([...afterwards].sort((a, b) => b - a));
  expect(afterwards[0]).toBe(3_200);
  expect(afterwards.at(-1)).toBe(0);
});

it('gives up on a Microsoft that answers nothing for a day', async () => {
  const world = await createDirectoryWorld();
  await world.refresh();
  world.tenantUsers.nextAnswers.push(...Array.from({ length: 2_000 }, () => ({ kind: 'lost' }) as const));
  await world.untilRead();
  expect(await world.record()).toMatchObject({ finding: { cause: 'microsoft_unavailable' } });
});

it('lets imports of the tenant go first: mailboxes are not asked while they are throttled', async () => {
  const world = await createDirectoryWorld();
  world.tenantUsers.put(aUser('support', { isLicensed: false }));
  const until = world.time.now.getTime() + 10 * 60_000;
  const pace = { ...newTenantPace(tenantKeyOf(world.connection)), mode: 'paced' as const, sharers: { imp_1: until } };
  await world.tenantPaces.put(pace, undefined);
  await world.refresh();
  for (let n = 0; n < 20; n++) {
    await world.deliver();
    world.pass(15_000);
  }
  expect(world.tenantUsers.requests).toEqual(['linkToChanges', 'list', 'changes']);
  expect(await world.record()).toMatchObject({ readAt: expect.any(Date), read: { phase: 'judge' } });
  await world.untilRead();
  expect(world.tenantUsers.requests.at(-1)).toBe('judge');
  expect(world.time.now.getTime()).toBeGreaterThanOrEqual(until);
});

it('has one reader, whatever the number of messages', async () => {
  const world = await createDirectoryWorld();
  for (let n = 0; n < 9; n++) world.tenantUsers.put(aUser(`user${n}`));
  await Promise.all([world.refresh(), world.refresh(), world.refresh()]);
  await Promise.all(Array.from({ length: 8 }, () => world.deliver()));
  await world.untilRead();
  expect(world.tenantUsers.requests).toEqual(['linkToChanges', 'list', 'list', 'list', 'changes']);
  expect(await world.entries()).toHaveLength(9);
});

it('is left alone by a message that comes while it is being read', async () => {
  const world = await createDirectoryWorld();
  for (let n = 0; n < 9; n++) world.tenantUsers.put(aUser(`user${n}`));
  await world.refresh();
  world.tenantUsers.before = async () => {
    world.tenantUsers.before = () => undefined;
    await world.deliver();
    expect(world.tenantUsers.requests).toEqual([]);
  };
  await world.deliver();
  expect(world.tenantUsers.requests).toEqual(['linkToChanges', 'list', 'list', 'list', 'changes']);
  expect(await world.record()).not.toHaveProperty('read');
});

it('goes on where a process died, at any request and any write', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(30), { maxLength: 6 }), async (deaths) => {
      const world = await createDirectoryWorld();
      const { tenantUsers, directory } = world;
      for (let n = 0; n < 12; n++) tenantUsers.put(aUser(`user${n}`, { isLicensed: n % 3 > 0 }));
      let calls = 0;
      let isDead = false;
      const dieOrGoOn = () => {
        if (deaths.includes(++calls)) isDead = true;
        if (isDead) throw new Error('the process died');
      };
      tenantUsers.before = dieOrGoOn;
      const { commit, put } = directory;
      // The write may have happened, or not.
      directory.commit = async (...args) => {
        const written = calls % 2 === 0 ? await commit(...args) : undefined;
        dieOrGoOn();
        return calls % 2 === 1 ? written : commit(...args);
      };
      directory.put = async (...args) => {
        if (isDead) throw new Error('a dead process writes nothing');
        return put(...args);
      };
      await world.refresh();
      for (let n = 0; n < 40 && (await world.record())?.read; n++) {
        isDead = false;
        await world.deliver().catch(() => undefined);
        isDead = false;
        world.pass(120_000);
      }
      isDead = false;
      deaths.length = 0;
      await world.untilRead();
      expect(await world.addresses()).toHaveLength(12);
      expect((await world.entries()).every(({ judgement }) => judgement === 'done')).toBe(true);
    }),
    { numRuns: 60 },
  );
});

it('is found by the sweep if its message is lost, and not as long as somebody reads', async () => {
  const world = await createDirectoryWorld();
  await world.refresh();
  world.messages.length = 0;
  expect(await sweepDirectories(world.deps)).toBe(0);
  world.pass(31_000);
  expect(await sweepDirectories(world.deps)).toBe(1);
  await world.deliver();
  world.pass(600_000);
  expect(await sweepDirectories(world.deps)).toBe(0);
});

it('writes nothing for a connection that was deleted in the meantime', async () => {
  const world = await createDirectoryWorld();
  for (let n = 0; n < 9; n++) world.tenantUsers.put(aUser(`user${n}`));
  await world.refresh();
  world.tenantUsers.before = async (request) => {
    if (request === 'list') await purgeDirectory(world, world.connection.id);
  };
  await world.deliver();
  expect(await world.record()).toBeUndefined();
  expect(await world.entries()).toEqual([]);
});

it('is removed if nobody reads it again for the time that it is kept', async () => {
  const world = await readWorld();
  world.pass(29 * 86_400_000);
  expect(await removeOldDirectories(world.deps)).toBe(0);
  world.pass(2 * 86_400_000);
  expect(await removeOldDirectories(world.deps)).toBe(1);
  expect(await world.entries()).toEqual([]);
  expect(await removeOldDirectories(world.deps)).toBe(0);
});

it('gives back its lease if storage or the vault fails, so that the next delivery goes on', async () => {
  const world = await createDirectoryWorld();
  world.tenantUsers.put(aUser('ann'));
  await world.refresh();
  const { get } = world.deps.tokens;
  world.deps.tokens.get = () => Promise.reject(new DomainError('vault_unavailable', 'The vault is unavailable.'));
  await expect(world.deliver()).rejects.toThrow('vault_unavailable');
  world.deps.tokens.get = get;
  await world.deliver();
  expect(await world.addresses()).toEqual(['ann@contoso.example']);
});

it('does not collect messages while it waits, however often a refresh is requested', async () => {
  const world = await createDirectoryWorld();
  world.tenantUsers.put(aUser('ann'));
  await world.refresh();
  world.tenantUsers.nextAnswers.push(throttled(120));
  await world.deliver();
  const waiting = world.messages.length;
  for (let n = 0; n < 50; n++) await world.refresh();
  expect(world.messages).toHaveLength(waiting);
});

it('lists nobody twice if a process dies in the middle of a page and an address changes before it is read again', async () => {
  const world = await createDirectoryWorld();
  const { tenantUsers, directory } = world;
  for (let n = 0; n < 9; n++) tenantUsers.put(aUser(`user${n}`));
  const { commit } = directory;
  const isListing = (read: DirectoryRead | undefined) => read?.phase === 'list' && read.cursor !== undefined;
  directory.commit = async (before, record, tag, changes) => {
    if (!isListing(record.read) || changes.length === 0) return commit(before, record, tag, changes);
    // One of several transactions was written: it leaves the record as it was.
    await commit(before, before, tag, changes.slice(0, 1));
    throw new Error('the process died');
  };
  await world.refresh();
  directory.put = async () => undefined;
  await expect(world.deliver()).rejects.toThrow('died');
  directory.commit = commit;
  tenantUsers.put(aUser('user0', { primaryAddress: 'zoe@contoso.example' }));
  await world.untilRead();
  expect(await world.addresses()).toHaveLength(9);
  expect(await world.addresses()).not.toContain('user0@contoso.example');
});

it('removes what is gone in bounded steps, in several runs if they take long', async () => {
  const world = await createDirectoryWorld();
  const { tenantUsers, directory } = world;
  tenantUsers.pageSize = 100;
  const names = Array.from({ length: 60 }, (_, n) => `user${String(n).padStart(2, '0')}`);
  for (const name of names) tenantUsers.put(aUser(name));
  await world.refresh();
  await world.untilRead();
  for (const name of names.slice(0, 40)) tenantUsers.remove(`id-${name}`);
  tenantUsers.expireLinks();
  const leases: number[] = [];
  const { sweep } = directory;
  directory.sweep = async (record, ...rest) => {
    leases.push((record.lease?.until.getTime() ?? 0) - world.time.now.getTime());
    // Storage is so slow that one lease would not be enough for all of it.
    world.pass(30_000);
    return sweep(record, ...rest);
  };
  await world.refresh();
  world.messages.length = 0;
  await world.deliver();
  expect(await world.record()).toMatchObject({ read: { phase: 'sweep', cursor: expect.any(String) } });
  expect(world.messages).toHaveLength(1);
  await world.untilRead();
  expect(await world.addresses()).toEqual(names.slice(40).map((name) => `${name}@contoso.example`));
  expect(new Set(leases)).toEqual(new Set([world.deps.directoryLimits.leaseMs]));
  expect(leases.length).toBeLessThan(20);
});
