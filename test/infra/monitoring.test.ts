import { expect, test } from 'vitest';
import { allOf, brief, deployed, oneOf } from './paper/deployed.ts';

const deployment = deployed();
const WORKSPACE = 'Microsoft.OperationalInsights/workspaces/log-*';

test('logs are kept in one workspace, for as long as the deployment says', () => {
  const workspace = brief(deployment, oneOf(deployment, 'Microsoft.OperationalInsights/workspaces'));
  expect([workspace.id, workspace.body.properties]).toEqual([
    WORKSPACE,
    {
      sku: { name: 'PerGB2018' },
      retentionInDays: 30,
      features: { enableLogAccessUsingOnlyResourcePermissions: true },
    },
  ]);
  const longer = oneOf(deployed({ logsKeptDays: 90 }), 'Microsoft.OperationalInsights/workspaces');
  expect(longer.body.properties).toMatchObject({ retentionInDays: 90 });
});

test('only Entra identities can send telemetry, and it goes to that workspace', () => {
  const { body } = brief(deployment, oneOf(deployment, 'Microsoft.Insights/components'));
  expect([body.kind, body.properties]).toEqual([
    'web',
    { Application_Type: 'web', WorkspaceResourceId: WORKSPACE, DisableLocalAuth: true },
  ]);
});

test('these resources send these diagnostics to the workspace, and no other', () => {
  const settings = brief(deployment, allOf(deployment, 'Microsoft.Insights/diagnosticSettings'));
  const sent = settings.map(({ scope, body }) => {
    const { workspaceId, logs, metrics, ...rest } = body.properties as Record<string, unknown>;
    const categories = [logs, metrics].map((list) =>
      ((list as Record<string, unknown>[]) ?? []).map((one) => {
        expect(one.enabled).toBe(true);
        return one.categoryGroup ?? one.category;
      }),
    );
    expect(workspaceId).toBe(WORKSPACE);
    return [scope?.split('/').at(-1), ...categories, rest];
  });
  const ownTables = { logAnalyticsDestinationType: 'Dedicated' };
  expect(sent).toEqual([
    ['sthost*', [], ['Transaction'], {}],
    ['stdata*', [], ['Transaction'], {}],
    ['kv-op-*', ['audit'], ['AllMetrics'], ownTables],
    ['kv-*', ['audit'], ['AllMetrics'], ownTables],
    ['func-*', [], ['AllMetrics'], {}],
  ]);
});
