import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readBicep } from './bicep.ts';
import { allOf, deployed, oneOf } from './paper/deployed.ts';

const { params } = readBicep('infra/main.bicep');
const documentation = readFileSync('docs/deploy.md', 'utf8');
const given: [string, { value: string }][] = Object.entries(
  JSON.parse(readFileSync('infra/main.parameters.json', 'utf8')).parameters,
);
/** Each parameter with the variable that azd puts in its place, and the value without that variable. */
const variables = given.map(([parameter, { value }]) => {
  const [, variable = '', fallback = ''] = value.match(/^\$\{(\w+)(?:=(.*))?\}$/) ?? [];
  return { parameter, variable, fallback };
});
/** Rows of the tables: name, default, example, meaning. */
const rows = new Map(
  [...documentation.matchAll(/^\| `(\w+)` \| (.+?) \| (.+?) \| (.+) \|$/gm)].map(([, name = '', ...cells]) => [
    name,
    cells,
  ]),
);
/** azd asks for these, or knows them. */
const ofAzd = /^AZURE_/;

test('azd has a variable, and no fixed value, for each parameter that it passes', () => {
  expect(variables.filter(({ variable }) => !/^(AZURE|MUSTER)_[A-Z_]+$/.test(variable))).toEqual([]);
  expect(new Set(variables.map(({ variable }) => variable)).size).toBe(variables.length);
});

test('every parameter has a description', () => {
  const main = readFileSync('infra/main.bicep', 'utf8');
  for (const { name } of params) {
    expect(main, name).toMatch(new RegExp(`@description\\('.{10,}'\\)\\n((@|  |\\]|\\}).*\\n)*param ${name} `));
  }
});

test('docs/deploy.md explains every parameter once, with default and example', () => {
  const ofUsers = variables.filter(({ variable }) => !ofAzd.test(variable)).map(({ variable }) => variable);
  const passed = variables.map(({ parameter }) => parameter);
  const others = params.map(({ name }) => name).filter((name) => !passed.includes(name));
  const documented = [...rows.keys()].filter(
    (name) => name.startsWith('MUSTER_') || params.some((one) => one.name === name),
  );
  expect(documented.sort()).toEqual([...ofUsers, ...others].sort());
  for (const [name, [, example = '', meaning = '']] of rows) {
    if (!documented.includes(name)) continue;
    expect(example, name).toMatch(/^`.+`$/);
    expect(meaning.length, name).toBeGreaterThan(20);
  }
});

describe('the default is the same in Bicep, for azd and in docs/deploy.md:', () => {
  const literal = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

  test.each(params.filter(({ name, value }) => value !== undefined && name !== 'principalId'))(
    '$name',
    ({ name, value }) => {
      const { variable = name, fallback = literal(value) } =
        variables.find(({ parameter }) => parameter === name) ?? {};
      expect(fallback).toBe(literal(value));
      if (ofAzd.test(variable)) return;
      const [documented = ''] = rows.get(variable) ?? [];
      if (literal(value) === '') expect(documented).not.toContain('`');
      else expect(documented).toBe(`\`${literal(value)}\``);
    },
  );
});

test('a budget tells the addresses for alerts, and there is none unless it is asked for', () => {
  expect(allOf(deployed(), 'Microsoft.Consumption/budgets')).toEqual([]);
  const asked = { monthlyBudget: 200, budgetStart: '2026-12-01', alertEmails: 'ops@contoso.com, oncall@contoso.com' };
  const { amount, timeGrain, timePeriod, notifications } = oneOf(deployed(asked), 'Microsoft.Consumption/budgets').body
    .properties as Record<string, unknown>;
  expect([amount, timeGrain, timePeriod]).toEqual([200, 'Monthly', { startDate: '2026-12-01' }]);
  const told = { enabled: true, contactEmails: ['ops@contoso.com', 'oncall@contoso.com'], contactRoles: ['Owner'] };
  expect(notifications).toEqual({
    actual: { ...told, operator: 'GreaterThanOrEqualTo', threshold: 80, thresholdType: 'Actual' },
    forecast: { ...told, operator: 'GreaterThan', threshold: 100, thresholdType: 'Forecasted' },
  });
});
