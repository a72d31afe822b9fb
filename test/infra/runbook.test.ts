import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { metrics, signalNames } from '../../shared/kernel/signals.ts';
import { poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { logRule, metricRule } from './paper/alert-rules.ts';
import { allOf, deployed } from './paper/deployed.ts';

const page = readFileSync('docs/operations.md', 'utf8');
const threats = readFileSync('docs/security.md', 'utf8');

/** The text under a heading, up to the next heading of the same or a higher level. */
function sectionOf(text: string, heading: string): string {
  const level = heading.indexOf(' ');
  const [, rest = ''] = text.split(`\n${heading}\n`);
  return rest.split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? '';
}

/** The words in backticks in the first column of the tables of a text. */
const firstColumn = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
const matchesOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found);

const deployment = deployed();
const logRules = allOf(deployment, 'Microsoft.Insights/scheduledQueryRules').map(({ name, body }) => {
  const rule = logRule.parse(body.properties);
  return { name, title: rule.displayName.replace('Muster: ', ''), ...rule };
});
const metricRules = allOf(deployment, 'Microsoft.Insights/metricAlerts').map(({ name, body }) => {
  const rule = metricRule.parse(body.properties);
  return { name, title: rule.description.replace('Muster: ', '').split('. ')[0] ?? '', ...rule };
});

describe('the runbook', () => {
  test('has a section for each alert, with its name and severity, and what to look at and do', () => {
    const alerts = sectionOf(page, '## Alerts');
    for (const { name, title, severity } of [...logRules, ...metricRules]) {
      const section = sectionOf(alerts, `### ${title}`);
      expect(section, title).toMatch(new RegExp(`^\n\`${name}\`, severity ${severity}\n`));
      expect(section, title).toMatch(/\*\*Means:\*\*.+\*\*Look at:\*\*.+\*\*Do:\*\*/s);
    }
    const titles = matchesOf(alerts, /^### (.+)$/gm);
    expect(titles.toSorted()).toEqual([...logRules, ...metricRules].map(({ title }) => title).toSorted());
  });

  test('says what a message of each queue and poison queue asks for', () => {
    const tables = sectionOf(page, '## Queues');
    expect(firstColumn(tables)).toEqual(
      expect.arrayContaining([...Object.values(queues), ...Object.values(poisonQueues)]),
    );
    const queueTable = tables.split('| one message asks for |')[1]?.split('\n\n')[0] ?? '';
    expect(firstColumn(queueTable)).toEqual(Object.values(queues));
  });

  test('says what each timer does', () => {
    const timers = globSync('functions/timers/*.ts').flatMap((file) =>
      matchesOf(readFileSync(file, 'utf8'), /host\.timer\('([^']+)'/g),
    );
    expect(timers.length).toBeGreaterThan(5);
    expect(firstColumn(sectionOf(page, '## Timers')).toSorted()).toEqual(timers.toSorted());
  });

  test('says what each metric means, and what it is divided by', () => {
    const rows = matchesOf(sectionOf(page, '## Traces and metrics'), /^\| (`muster\..+?\|.*?) \|/gm);
    const expected = Object.entries(metrics).map(([name, { by }]) =>
      `\`${name}\` | ${by.join(', ')}`.replace('watched', 'timer').trim(),
    );
    expect(rows).toEqual(expected);
  });

  test('looks for log lines that the app writes', () => {
    const sources = globSync('{functions,shared}/**/*.ts').map((file) => readFileSync(file, 'utf8'));
    const asked = matchesOf(page, /`logs ([a-z_]+)/g).filter((name) => name.includes('_'));
    expect(asked.length).toBeGreaterThan(8);
    const isWritten = (event: string) =>
      signalNames.some((name) => name.startsWith(event)) || sources.some((source) => source.includes(`'${event}'`));
    expect(asked.filter((event) => !event.startsWith('imp_') && !isWritten(event))).toEqual([]);
  });

  test('counts the alert rules as they are, because they cost money', () => {
    const often = logRules.filter(({ evaluationFrequency }) => evaluationFrequency === 'PT5M').length;
    const less = logRules.length - often;
    expect(page).toContain(`alert rules: ${often} every five minutes, ${less} less often`);
    expect(page).toContain(`metric alerts: ${metricRules.length}, with`);
  });
});

describe.each([
  ['docs/operations.md', page],
  ['docs/security.md', threats],
])('%s', (_file, text) => {
  test('names routes that exist', () => {
    const { paths } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as { paths: Record<string, object> };
    const isPath = (path: string) => (template: string) =>
      new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path);
    const asked = matchesOf(text, /(?:ask '?|(?:GET|POST|PUT|PATCH|DELETE) |\$api)(\/v1\/[^\s`'"?)]+)/g)
      .map((path) => path.replace(/<[^>]+>/g, 'x'))
      .filter((path) => !path.endsWith('…'));
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.filter((path) => !Object.keys(paths).some(isPath(path)))).toEqual([]);
  });

  test('names settings that exist', () => {
    const known = ['docs/settings.md', 'infra/main.parameters.json'].map((file) => readFileSync(file, 'utf8')).join();
    const named = matchesOf(text, /`([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])(?:=[^`]*)?`/g);
    expect(named.length).toBeGreaterThan(10);
    expect([...new Set(named)].filter((name) => !new RegExp(`\\b${name}\\b`).test(known))).toEqual([]);
  });

  test('lists every source that it uses, and uses every one that it lists', () => {
    const prose = text.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]*`/g, '');
    const listed = matchesOf(prose, /^\[([a-z0-9-]+)\]: /gm);
    const used = matchesOf(prose, /\]\[([a-z0-9-]+)\]/g);
    expect([...new Set(used)].toSorted()).toEqual(listed.toSorted());
  });
});
