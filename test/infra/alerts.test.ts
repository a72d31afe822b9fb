import { describe, expect, test } from 'vitest';
import { now, times, trace, traceOf } from './kql/log-lines.ts';
import { type Row, runQuery } from './kql/run.ts';
import { faultsOfQuery } from './kql/signals-asked.ts';
import { logRule, metricRule } from './paper/alert-rules.ts';
import { allOf, brief, deployed, oneOf } from './paper/deployed.ts';

const LOG_ALERT = 'Microsoft.Insights/scheduledQueryRules';
const METRIC_ALERT = 'Microsoft.Insights/metricAlerts';
const deployment = deployed();

const rules = new Map(
  brief(deployment, allOf(deployment, LOG_ALERT)).map(({ name, body }) => [
    name.replace('alert-', ''),
    logRule.parse(body.properties),
  ]),
);

const hours: Record<string, number> = { PT5M: 1 / 12, PT15M: 1 / 4, PT30M: 1 / 2, PT1H: 1, P1D: 24, P2D: 48 };

/** The alerts that a rule raises for these lines: the values of its dimension, or one without a name. */
function raised(name: string, lines: Row[]): string[] {
  const rule = rules.get(name);
  const [condition] = rule?.criteria.allOf ?? [];
  if (!rule || !condition) throw new Error(`there is no rule ${name}`);
  const since = now.getTime() - (hours[rule.windowSize] ?? Number.NaN) * 3_600_000;
  const AppTraces = lines.filter(({ TimeGenerated }) => (TimeGenerated as Date).getTime() >= since);
  const rows = runQuery(condition.query, { tables: { AppTraces }, now });
  const [dimension] = condition.dimensions;
  const groups = dimension ? [...new Set(rows.map((row) => String(row[dimension.name])))] : [''];
  return groups.filter((value) => {
    const count = dimension ? rows.filter((row) => String(row[dimension.name]) === value).length : rows.length;
    return condition.operator === 'GreaterThan' ? count > condition.threshold : count < condition.threshold;
  });
}

/** For each rule: lines that raise an alert, for what, and lines that do not. */
const examples: Record<string, { raises: Row[]; of: string[]; silent: Row[] }> = {
  'no-heartbeat': { raises: [trace(20, 'timer_ran', { timer: 'a' })], of: [''], silent: [trace(14, 'timer_ran')] },
  'not-configured': {
    raises: [traceOf(now, '{"event":"not_configured","error":{"message":"Muster cannot start. Fix these settings"}}')],
    of: [''],
    silent: [trace(1, 'timer_ran')],
  },
  'timer-late': {
    raises: [
      trace(1, 'timer_watched', { watched: 'sweep-imports', silentSeconds: 1000, isLate: true }),
      trace(1, 'timer_watched', { watched: 'tidy-up', silentSeconds: 5, isLate: false }),
    ],
    of: ['sweep-imports'],
    silent: [
      trace(3, 'timer_watched', { watched: 'sweep-imports', isLate: true }),
      trace(1, 'timer_watched', { watched: 'sweep-imports', isLate: false }),
    ],
  },
  poison: {
    raises: [
      trace(1, 'queue_watched', { queue: 'check-mailbox', poisonDepth: 1 }),
      trace(1, 'queue_watched', { queue: 'plan-import', poisonDepth: 0 }),
    ],
    of: ['check-mailbox'],
    silent: [
      trace(3, 'queue_watched', { queue: 'check-mailbox', poisonDepth: 4 }),
      trace(1, 'queue_watched', { queue: 'check-mailbox', poisonDepth: 0 }),
    ],
  },
  'poison-unsettled': {
    raises: [
      trace(1, 'message_poisoned_malformed', { queue: 'plan-import', key: 'k' }),
      trace(2, 'poison_left_to_the_sweep', { queue: 'check-mailbox', messageId: 'm' }),
    ],
    of: ['plan-import', 'check-mailbox'],
    silent: [trace(1, 'message_poisoned', { queue: 'plan-import', key: 'k' })],
  },
  'queue-age': {
    raises: [trace(1, 'queue_watched', { queue: 'deliver-event', depth: 9, oldestAgeSeconds: 901 })],
    of: ['deliver-event'],
    silent: [
      trace(1, 'queue_watched', { queue: 'deliver-event', depth: 9, oldestAgeSeconds: 900 }),
      trace(1, 'queue_watched', { queue: 'check-mailbox', depth: 0 }),
    ],
  },
  'import-stalled': {
    raises: [trace(2, 'import_stalled', { importId: 'imp_1', silentSeconds: 700 })],
    of: ['imp_1'],
    silent: [trace(16, 'import_stalled', { importId: 'imp_1', silentSeconds: 700 })],
  },
  'server-errors': {
    raises: [...times(19, trace(1, 'request', { status: 200 })), ...times(2, trace(2, 'request', { status: 500 }))],
    of: [''],
    silent: [
      ...times(10, trace(1, 'request', { status: 500, route: 'health-ready' })),
      ...times(19, trace(1, 'request', { status: 503, route: 'import-get' })),
      trace(16, 'request', { status: 500 }),
    ],
  },
  'vault-refused': {
    raises: [trace(1, 'vault_refused', { status: 403, code: 'ForbiddenByRbac' })],
    of: [''],
    silent: [trace(16, 'vault_refused', { status: 403 })],
  },
  'secret-expiring': {
    raises: [
      trace(6 * 60, 'client_secret_expiring', { connectionId: 'conn_1', daysLeft: 7 }),
      trace(6 * 60, 'client_secret_expired', { connectionId: 'conn_2', daysLeft: -1 }),
    ],
    of: ['conn_1', 'conn_2'],
    silent: [
      trace(6 * 60, 'client_secret_expiring', { connectionId: 'conn_1', daysLeft: 8 }),
      trace(30 * 60, 'client_secret_expiring', { connectionId: 'conn_1', daysLeft: 6 }),
    ],
  },
  'vendor-app-expiring': {
    raises: [trace(6 * 60, 'vendor_app_expiring', { credential: 'clientSecret', daysLeft: 20 })],
    of: [''],
    silent: [trace(30 * 60, 'vendor_app_expiring', { credential: 'clientSecret', daysLeft: 20 })],
  },
  'tenant-throttled': {
    raises: [
      trace(9, 'tenant_answered', { tenant: 'contoso', accepted: 100, throttled: 20 }),
      trace(1, 'tenant_answered', { tenant: 'contoso', accepted: 100, throttled: 31 }),
    ],
    of: ['contoso'],
    silent: [
      trace(1, 'tenant_answered', { tenant: 'contoso', accepted: 200, throttled: 50 }),
      trace(1, 'tenant_answered', { tenant: 'small', accepted: 1, throttled: 49 }),
    ],
  },
  'wrong-keys': {
    raises: times(101, trace(1, 'request', { status: 401 })),
    of: [''],
    silent: [...times(100, trace(1, 'request', { status: 401 })), trace(1, 'request', { status: 403 })],
  },
  'operator-key': {
    raises: [trace(5, 'request', { status: 200, role: 'operator', keyId: 'operator' })],
    of: ['operator'],
    silent: [trace(5, 'request', { status: 200, role: 'owner', keyId: 'key_1' }), trace(5, 'request', { status: 401 })],
  },
  'webhook-disabled': {
    raises: [trace(40, 'webhook_disabled', { customerId: 'c', webhookId: 'hook_1' })],
    of: ['hook_1'],
    silent: [trace(1, 'webhook_attempt', { webhookId: 'hook_1', result: 'failed' })],
  },
};

test('each rule has an example', () => {
  expect(Object.keys(examples)).toEqual([...rules.keys()]);
});

describe.each(Object.entries(examples))('%s', (name, { raises, of, silent }) => {
  test('asks for lines and fields that the app writes', () => {
    expect(faultsOfQuery(rules.get(name)?.criteria.allOf[0]?.query ?? '')).toEqual([]);
  });

  test('is raised', () => {
    expect(raised(name, raises)).toEqual(of);
  });

  test('is not raised otherwise', () => {
    expect(raised(name, silent)).toEqual([]);
    if (name !== 'no-heartbeat') expect(raised(name, [])).toEqual([]);
  });
});

test('rules are evaluated over the logs of this deployment, often enough for their window', () => {
  for (const [name, { scopes, evaluationFrequency, windowSize }] of rules) {
    expect(scopes, name).toEqual(['Microsoft.OperationalInsights/workspaces/log-*']);
    expect(hours[evaluationFrequency], name).toBeLessThanOrEqual(hours[windowSize] ?? 0);
  }
});

test('every rule is there, with this severity', () => {
  expect(Object.fromEntries([...rules].map(([name, { severity }]) => [name, severity]))).toEqual({
    'no-heartbeat': 0,
    'not-configured': 0,
    'timer-late': 2,
    poison: 1,
    'poison-unsettled': 1,
    'queue-age': 2,
    'import-stalled': 2,
    'server-errors': 1,
    'vault-refused': 1,
    'secret-expiring': 3,
    'vendor-app-expiring': 1,
    'tenant-throttled': 3,
    'wrong-keys': 2,
    'operator-key': 4,
    'webhook-disabled': 3,
  });
});

test('what Azure measures itself is watched as well', () => {
  const metrics = brief(deployment, allOf(deployment, METRIC_ALERT)).map(({ name, body }) => {
    const { scopes, criteria } = metricRule.parse(body.properties);
    const [one] = criteria.allOf;
    return [name, scopes.join(), one?.metricName, one?.timeAggregation, one?.operator, one?.threshold];
  });
  const unavailable = ['Availability', 'Average', 'LessThan', 99];
  expect(metrics).toEqual([
    ['alert-host-storage-unavailable', 'Microsoft.Storage/storageAccounts/sthost*', ...unavailable],
    ['alert-data-storage-unavailable', 'Microsoft.Storage/storageAccounts/stdata*', ...unavailable],
    ['alert-operator-vault-unavailable', 'Microsoft.KeyVault/vaults/kv-op-*', ...unavailable],
    ['alert-customer-vault-unavailable', 'Microsoft.KeyVault/vaults/kv-*', ...unavailable],
    [
      'alert-storage-throttled',
      'Microsoft.Storage/storageAccounts/stdata*',
      'Transactions',
      'Total',
      'GreaterThan',
      100,
    ],
  ]);
});

describe('who is told', () => {
  const GROUP = 'Microsoft.Insights/actionGroups';
  const receivers = {
    alertEmails: 'ops@contoso.com, oncall@contoso.com',
    alertWebhookUrl: 'https://hooks.contoso.com/x',
  };

  test('every alert tells every address', () => {
    const other = deployed(receivers);
    const group = oneOf(other, GROUP);
    const email = (name: string, emailAddress: string) => ({ name, emailAddress, useCommonAlertSchema: true });
    expect(group.body.properties).toEqual({
      groupShortName: 'Muster',
      enabled: true,
      emailReceivers: [email('email-1', 'ops@contoso.com'), email('email-2', 'oncall@contoso.com')],
      webhookReceivers: [{ name: 'webhook', serviceUri: receivers.alertWebhookUrl, useCommonAlertSchema: true }],
    });
    const told = (type: string) =>
      allOf(other, type).map(({ body }) => JSON.stringify((body.properties as Row).actions));
    const ofLogs = JSON.stringify({ actionGroups: [group.id] });
    const ofMetrics = JSON.stringify([{ actionGroupId: group.id }]);
    expect(new Set([...told(LOG_ALERT), ...told(METRIC_ALERT)])).toEqual(new Set([ofLogs, ofMetrics]));
  });

  test('without an address, alerts are only in the portal', () => {
    expect(allOf(deployment, GROUP)).toEqual([]);
    for (const [name, { actions }] of rules) expect(actions.actionGroups, name).toEqual([]);
  });

  test('nobody, if the deployment wants no alerts', () => {
    const { resources } = deployed({ ...receivers, alertsEnabled: false });
    expect(resources.filter(({ type }) => [GROUP, LOG_ALERT, METRIC_ALERT].includes(type))).toEqual([]);
  });
});
