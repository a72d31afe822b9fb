import { expect, it } from 'vitest';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld } from '../../../support/import-world/world.ts';

const addresses = (count: number, name = 'user') =>
  Array.from({ length: count }, (_, i) => `${name}${i}@contoso.example`);

it('rows that an action cancels before they are sent give their import no room on the queue that others need', async () => {
  const world = await createWorld(1, noFaults, { microsoft: { latencyMs: 3_000 }, verdictOf: () => 'passed' });
  const all = addresses(3_000);
  await world.startImport(all);
  await world.until(() => world.asked.size > 50, 600);
  const { id } = await world.startAction('disconnect', all.slice(1_500));
  await world.until(() => world.ended.includes(id), 600);

  const from = world.seconds();
  const neighbor = await world.startImport(addresses(50, 'neighbor'), 'cust_2');
  await world.until(() => world.ended.includes(neighbor.id), 900);
  const seconds = world.seconds() - from;
  for (const process of world.processes) process.kill();

  // Without the action: 185 rows and 30 seconds.
  expect(world.puts.rowsMax).toBeLessThan(300);
  expect(seconds).toBeLessThan(60);
});
