import { expect, it } from 'vitest';
import { sumTallies } from '../../shared/imports/ledger/tally.ts';
import { noFaults } from '../support/import-world/faults.ts';
import { createWorld } from '../support/import-world/world.ts';

/** In simulated time. A whole day takes minutes: `SILENT_HOURS=24 npm run test:long -- silent-day`. */
const HOURS = Number(process.env.SILENT_HOURS ?? 2);
const ROWS = 800;
const LATENCY_MS = 400;
/** 24 checks at once, and two requests a check. */
const FULL_SPEED = (0.9 * 24 * 1000) / (2 * LATENCY_MS);
/** A probe every 15 seconds. */
const PROBES_AN_HOUR = 3_600 / 15;
/** A mailbox that was silent for long is asked once a minute. So the last rows may come this much later than the others. */
const LONGEST_WAIT_SECONDS = 60;

it(`asks a Microsoft that is silent for ${HOURS} hours only by probes, one message a row, and is back at full speed within 30 seconds`, async () => {
  const silent = { fromMs: 10_000, toMs: 10_000 + HOURS * 3_600_000 };
  const microsoft = { silent, latencyMs: LATENCY_MS };
  const world = await createWorld(5, noFaults, { processes: 1, microsoft, verdictOf: () => 'passed' });
  const { id } = await world.startImport(Array.from({ length: ROWS }, (_, i) => `user${i}@contoso.example`));
  const passed = async () => sumTallies(await world.ledger.listTallies('conn_1', id)).passed;
  await world.until(() => world.seconds() * 1000 >= silent.fromMs + 60_000, 120);
  const before = { requests: world.microsoft.requests(), puts: world.puts.checks };

  await world.until(() => world.seconds() * 1000 >= silent.toMs, (HOURS + 1) * 3_600);
  expect(world.puts.checks - before.puts).toBeLessThanOrEqual(HOURS * PROBES_AN_HOUR);
  expect(world.microsoft.requests() - before.requests).toBeLessThanOrEqual(2 * HOURS * PROBES_AN_HOUR);
  const left = ROWS - (await passed());
  expect(left).toBeGreaterThan(400);

  const most = ROWS - 0.1 * left;
  await world.until(async () => (await passed()) >= most, 3_600);
  expect(world.seconds() - silent.toMs / 1000).toBeLessThan(30 + left / FULL_SPEED);
  await world.until(() => world.ended.length > 0, 3_600);
  expect(world.seconds() - silent.toMs / 1000).toBeLessThan(30 + left / FULL_SPEED + LONGEST_WAIT_SECONDS);

  await world.run();
  const record = (await world.imports.get('cust_1', id))?.value;
  expect(record).toMatchObject({ status: 'completed', counts: { accepted: ROWS, failed: 0, pending: 0, waiting: 0 } });
  // A mailbox that is asked in vain in the last minute of its day is given up, and cleaned later.
  expect(record?.counts?.inconclusive).toBeLessThanOrEqual(4);
  expect(world.puts.perRowMax).toBe(1);
  expect([...world.drafts]).toEqual([]);
}, 900_000);
