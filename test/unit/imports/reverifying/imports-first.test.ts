import { describe, expect, it } from 'vitest';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld, type World, type WorldOptions } from '../../../support/import-world/world.ts';

const HOUR = 3_600;
const addresses = (count: number, name = 'user') =>
  Array.from({ length: count }, (_, i) => `${name}${i}@contoso.example`);
const hasOpen = async (world: World) => (await world.imports.listOpen()).length > 0;
const actionsOf = async (world: World) =>
  (await world.imports.list('cust_1', 'conn_1', { limit: 1_000 }, 'actions')).items;
const recordOf = async (world: World, id: string) => {
  const found = await world.imports.get('cust_1', id);
  if (!found) throw new Error(`there is no ${id}`);
  return found.value;
};

/** A world with imported mailboxes, all of which are due and being checked again. */
async function reverifyingWorld(count: number, microsoft: WorldOptions['microsoft'], more: WorldOptions = {}) {
  const world = await createWorld(5, noFaults, { verdictOf: () => 'passed', ...more });
  const { id } = await world.startImport(addresses(count));
  await world.until(() => world.ended.includes(id), 24 * HOUR);
  await world.idle(8 * 24 * HOUR);
  Object.assign(world.microsoft.options, microsoft);
  await world.reverify();
  const [action] = await actionsOf(world);
  if (!action) throw new Error('nothing was started');
  await world.until(async () => (await recordOf(world, action.id)).dispatched >= 40, HOUR);
  return { world, action: action.id };
}

/** Notes how many rows the re-verification has sent while the import has rows to send. */
function watch(world: World, action: string, { id, rows }: { id: string; rows: number }) {
  const seen: { sent: number; secondsAfter: number }[] = [];
  let sendsSince: number | undefined;
  world.always(async () => {
    const record = await recordOf(world, id);
    if (record.status !== 'running' || record.dispatched === 0 || record.dispatched >= rows) return;
    sendsSince ??= world.seconds();
    seen.push({ sent: (await recordOf(world, action)).dispatched, secondsAfter: world.seconds() - sendsSince });
  });
  return seen;
}

describe.each([
  ['under the limit of its tenant', { limit: 90, latencyMs: 100, retryAfterSeconds: 3 }],
  ['in a slow tenant', { latencyMs: 6_000 }],
] as const)('a re-verification %s', (_name, microsoft) => {
  it('sends nothing more while an import of the tenant has rows to send, says so, and goes on afterwards', async () => {
    const { world, action } = await reverifyingWorld(300, microsoft);
    const { id } = await world.startImport(addresses(150, 'new'));
    const seen = watch(world, action, { id, rows: 150 });
    await world.until(() => seen.some(({ secondsAfter }) => secondsAfter >= 5), HOUR);
    expect((await recordOf(world, action)).waitingFor).toMatchObject({ cause: 'imports_first' });
    await world.until(() => world.ended.includes(id), HOUR);
    const late = seen.filter(({ secondsAfter }) => secondsAfter >= 3).map(({ sent }) => sent);
    expect(late.length).toBeGreaterThan(1);
    expect(new Set(late).size, `sent ${late.join(', ')}`).toBe(1);
    expect(late[0]).toBeLessThan(300);
    await world.until(async () => !(await hasOpen(world)), HOUR);
    expect(await recordOf(world, action)).toMatchObject({ status: 'completed', counts: { rows: 300, passed: 300 } });
    expect(await recordOf(world, id)).toMatchObject({ status: 'completed', counts: { rows: 150, passed: 150 } });
    expect(await world.slotsUsed()).toBe(450);
  }, 60_000);
});

it('holds also if processes die, and every mailbox is counted once', async () => {
  const { world, action } = await reverifyingWorld(300, { limit: 90, latencyMs: 100, retryAfterSeconds: 3 });
  const { id } = await world.startImport(addresses(150, 'new'));
  const seen = watch(world, action, { id, rows: 150 });
  let killedAt = world.seconds();
  world.always(async () => {
    const [first, second] = world.processes;
    if (!first || !second || world.seconds() - killedAt < 20) return;
    killedAt = world.seconds();
    world.kill(world.processes[Math.floor(killedAt) % 2] ?? first);
  });
  await world.until(() => world.ended.includes(id), HOUR);
  // The dispatcher of the import may be dead for a moment, and then the re-verification goes on.
  const late = seen.filter(({ secondsAfter }) => secondsAfter >= 3).map(({ sent }) => sent);
  expect(Math.max(...late) - Math.min(...late)).toBeLessThan(60);
  await world.until(async () => !(await hasOpen(world)), HOUR);
  expect(await recordOf(world, action)).toMatchObject({ status: 'completed', counts: { rows: 300, passed: 300 } });
  expect(await recordOf(world, id)).toMatchObject({ status: 'completed', counts: { rows: 150, passed: 150 } });
  expect(await world.slotsUsed()).toBe(450);
}, 60_000);
