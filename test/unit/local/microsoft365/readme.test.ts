import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { plainFaults } from '../../../../local/microsoft365/scenario/mailbox.ts';
import { tenantSchema } from '../../../../local/microsoft365/scenario/tenant.ts';
import { parseScenario } from '../../../../local/microsoft365/scenario.ts';

const readme = readFileSync('local/microsoft365/README.md', 'utf8');

/** The names of all fields, at any depth. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'properties' && typeof value === 'object' && value !== null
      ? [...Object.keys(value), ...Object.values(value).flatMap(fieldsOf)]
      : fieldsOf(value),
  );
}

it('shows a scenario that the simulator accepts', () => {
  const example = /```json\n(.+?)```/s.exec(readme)?.[1];
  expect(parseScenario(example).tenants[0]?.name).toBe('Contoso');
});

it('lists every field and every fault of a scenario', () => {
  const names = new Set([...fieldsOf(z.toJSONSchema(tenantSchema, { io: 'input' })), ...plainFaults]);
  expect(names.size).toBeGreaterThan(70);
  expect([...names].filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

it('lists every control route', () => {
  const source = readFileSync('local/microsoft365/control/control-service.ts', 'utf8');
  const routes = [...source.matchAll(/\.add\('(\w+)', '([^']+)'/g)].map(([, method, path]) => `\`${method} ${path}\``);
  expect(routes.length).toBeGreaterThan(5);
  expect(routes.filter((route) => !readme.includes(route))).toEqual([]);
});
