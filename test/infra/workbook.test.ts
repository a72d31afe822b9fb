import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { now, trace } from './kql/log-lines.ts';
import { runQuery } from './kql/run.ts';
import { faultsOfQuery, signalsAsked } from './kql/signals-asked.ts';
import { items, workbookQueries } from './kql/workbook-queries.ts';
import { brief, deployed, oneOf } from './paper/deployed.ts';

test('the workbook is deployed as it is in the file, over the logs of this deployment', () => {
  const deployment = deployed();
  const { name, body } = brief(deployment, oneOf(deployment, 'Microsoft.Insights/workbooks'));
  const { serializedData, ...properties } = body.properties as Record<string, string>;
  const workspace = 'Microsoft.OperationalInsights/workspaces/log-*';
  expect(name).toMatch(/^[0-9a-f-]{36}$/);
  expect(body.kind).toBe('shared');
  expect(properties).toEqual({ displayName: 'Muster', category: 'workbook', version: '1.0', sourceId: workspace });
  expect(JSON.parse(serializedData ?? '')).toEqual({
    ...JSON.parse(readFileSync('infra/app/workbook.json', 'utf8')),
    fallbackResourceIds: [workspace],
  });
});

describe.each([...workbookQueries])('%s', (_, query) => {
  test('asks for lines and fields that the app writes', () => {
    expect(faultsOfQuery(query)).toEqual([]);
  });
});

test('every part has a name of its own, and every query a title', () => {
  const names = items.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, content } of items) if (content.query) expect(content.title?.length, name).toBeGreaterThan(2);
});

test('every query knows its time range', () => {
  for (const { name, content } of items) {
    if (!content.query) continue;
    const { timeContextFromParameter, timeContext } = content as Record<string, unknown>;
    expect(timeContextFromParameter ?? timeContext, name).toBeDefined();
  }
});

test('an operator sees imports, verdicts, throttling, queues, poison, secrets, webhooks, timers and requests', () => {
  const asked = new Set([...workbookQueries.values()].flatMap(signalsAsked));
  expect([...asked].sort()).toEqual([
    'client_secret_expired',
    'client_secret_expiring',
    'import_ended',
    'import_stalled',
    'imports_watched',
    'mailboxes_checked',
    'message_poisoned',
    'message_poisoned_malformed',
    'poison_left_to_the_sweep',
    'queue_watched',
    'request',
    'tenant_answered',
    'tenant_watched',
    'timer_watched',
    'vault_refused',
    'webhook_attempt',
    'webhook_disabled',
  ]);
});

describe('the tiles', () => {
  const tiles = (lines: Parameters<typeof trace>[]) => {
    const AppTraces = lines.map((line) => trace(...line));
    const rows = runQuery(workbookQueries.get('state') ?? '', { tables: { AppTraces }, now });
    return Object.fromEntries(rows.map(({ What, Value, Alarm }) => [What, Alarm === 1 ? `${Value}!` : Value]));
  };

  test('tell that all is well', () => {
    const calm = tiles([
      [1, 'imports_watched', { running: 2, paused: 1, stalled: 0 }],
      [1, 'queue_watched', { queue: 'check-mailbox', depth: 40, poisonDepth: 0, oldestAgeSeconds: 61 }],
      [1, 'queue_watched', { queue: 'plan-import', depth: 2, poisonDepth: 0 }],
      [1, 'timer_watched', { watched: 'tidy-up', silentSeconds: 9, isLate: false }],
      [1, 'request', { status: 404 }],
    ]);
    expect(calm).toEqual({
      'Imports running': 2,
      'Imports paused': 1,
      'Imports without progress': 0,
      'Messages waiting': 42,
      'Oldest message, minutes': 1,
      'Poison messages': 0,
      'Late timers': 0,
      'Failed requests': 0,
      'Refused by the vault': 0,
    });
  });

  test('mark what needs someone, as it is now', () => {
    const alarmed = tiles([
      [9, 'imports_watched', { running: 5, paused: 0, stalled: 0 }],
      [1, 'imports_watched', { running: 1, paused: 0, stalled: 1 }],
      [1, 'queue_watched', { queue: 'check-mailbox', depth: 0, poisonDepth: 3, oldestAgeSeconds: 960 }],
      [1, 'timer_watched', { watched: 'tidy-up', silentSeconds: 9, isLate: true }],
      [1, 'request', { status: 500 }],
      [1, 'vault_refused', { status: 403 }],
    ]);
    expect(alarmed).toMatchObject({
      'Imports running': 1,
      'Imports without progress': '1!',
      'Oldest message, minutes': '16!',
      'Poison messages': '3!',
      'Late timers': '1!',
      'Failed requests': '1!',
      'Refused by the vault': '1!',
    });
  });
});
