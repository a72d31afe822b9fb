import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { metrics, signalNames, signals } from '../../../shared/kernel/signals.ts';

const files = globSync(['shared/**/*.ts', 'functions/**/*.ts'])
  .filter((file) => file !== 'shared/kernel/signals.ts')
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));

it.each(signalNames)('the app writes %s', (name) => {
  expect(files.filter(({ text }) => text.includes(`'${name}'`)).map(({ file }) => file)).not.toEqual([]);
});

it('a line that alert rules query is written with the types of its table, and no other way', () => {
  const byHand = new RegExp(`\\blog\\('\\w+', '(${signalNames.join('|')})'`);
  expect(files.filter(({ text }) => byHand.test(text)).map(({ file }) => file)).toEqual([]);
});

it('no line has a field for a mailbox address or a secret', () => {
  for (const name of signalNames) {
    expect(Object.keys(signals[name].fields).join(' ')).not.toMatch(/address|email|secret|token|url/i);
  }
});

it.each(Object.entries(metrics))(
  'the metric %s is a number of a signal, with fields of it as dimensions',
  (_name, metric) => {
    const fields: Record<string, string> = signals[metric.signal].fields;
    expect(fields[metric.field]).toMatch(/^number/);
    expect(Object.keys(fields)).toEqual(expect.arrayContaining([...metric.by]));
  },
);
