// Tells people when something needs them. Each rule asks for log lines of shared/kernel/signals.ts; test/infra/alerts.test.ts
// holds them together and shows for each rule what makes it fire. docs/operations.md says what to do.
param location string
param tags object
param workspaceId string
param hostAccountName string
param dataAccountName string
param operatorVaultName string
param customerVaultName string

@description('Addresses that get an e-mail.')
param emails array

@description('Address that gets a POST with the common alert schema. Empty: none.')
@secure()
param webhookUrl string

// A rule fires if its query finds a row (`fires: 'found'`), or if it finds none (`fires: 'missing'`). With a dimension, each
// of its values is an alert of its own, which ends by itself.
var rules = [
  {
    name: 'no-heartbeat'
    title: 'No timer runs'
    meaning: 'No timer has completed a run for 15 minutes. Dead imports are not picked up and nobody is told about expiring secrets.'
    severity: 0
    fires: 'missing'
    dimension: ''
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"timer_ran"'
'''
  }
  {
    name: 'not-configured'
    title: 'The app cannot start'
    meaning: 'A setting is missing or malformed, so the app answers 503 and handles no message. GET /v1/health names every such setting.'
    severity: 0
    fires: 'found'
    dimension: ''
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message has 'Muster cannot start'
'''
  }
  {
    name: 'timer-late'
    title: 'A timer is late'
    meaning: 'A timer should have completed a run and did not.'
    severity: 2
    fires: 'found'
    dimension: 'watched'
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"timer_watched"'
| extend line = parse_json(Message)
| summarize arg_max(TimeGenerated, line) by watched = tostring(line.watched)
| where tobool(line.isLate)
'''
  }
  {
    name: 'poison'
    title: 'Messages were poisoned'
    meaning: 'Messages failed five times and wait for an operator, who requeues or discards them.'
    severity: 1
    fires: 'found'
    dimension: 'queue'
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"queue_watched"'
| extend line = parse_json(Message)
| summarize arg_max(TimeGenerated, line) by queue = tostring(line.queue)
| where toint(line.poisonDepth) > 0
'''
  }
  {
    name: 'poison-unsettled'
    title: 'A poisoned message was not settled'
    meaning: 'This version cannot read a poisoned message, or could not settle its work. The sweep finds the work of rows; other work may need you.'
    severity: 1
    fires: 'found'
    dimension: 'queue'
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"message_poisoned_malformed"' or Message startswith '{"event":"poison_left_to_the_sweep"'
| extend line = parse_json(Message)
| extend queue = tostring(line.queue)
'''
  }
  {
    name: 'queue-age'
    title: 'A queue does not move'
    meaning: 'The oldest message of a queue could have been handled for 15 minutes, and was not.'
    severity: 2
    fires: 'found'
    dimension: 'queue'
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"queue_watched"'
| extend line = parse_json(Message)
| summarize arg_max(TimeGenerated, line) by queue = tostring(line.queue)
| where toint(line.oldestAgeSeconds) > 900
'''
  }
  {
    name: 'import-stalled'
    title: 'An import makes no progress'
    meaning: 'An import should make progress and makes none.'
    severity: 2
    fires: 'found'
    dimension: 'importId'
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"import_stalled"'
| extend line = parse_json(Message)
| extend importId = tostring(line.importId)
'''
  }
  {
    name: 'server-errors'
    title: 'Requests fail'
    meaning: 'More than five percent of at least 20 requests were answered with 500 or above.'
    severity: 1
    fires: 'found'
    dimension: ''
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"request"'
| extend line = parse_json(Message)
| where tostring(line.route) != 'health-ready'
| summarize requests = count(), failed = countif(toint(line.status) >= 500)
| where requests >= 20 and failed * 100 > requests * 5
'''
  }
  {
    name: 'vault-refused'
    title: 'The vault refuses the app'
    meaning: 'Key Vault has refused the app: a missing role, or a network that the vault does not admit. No client secret can be read.'
    severity: 1
    fires: 'found'
    dimension: ''
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"vault_refused"'
'''
  }
  {
    name: 'secret-expiring'
    title: 'Client secrets expire'
    meaning: 'A customer\'s client secret expires within seven days, or has expired. Its checks will fail.'
    severity: 3
    fires: 'found'
    dimension: 'connectionId'
    frequency: 'PT1H'
    window: 'P2D'
    query: '''
AppTraces
| where Message startswith '{"event":"client_secret_expir'
| extend line = parse_json(Message)
| where TimeGenerated > ago(26h) and toint(line.daysLeft) <= 7
| extend connectionId = tostring(line.connectionId)
'''
  }
  {
    name: 'vendor-app-expiring'
    title: 'The credential of your own app expires'
    meaning: 'The client secret or certificate of the multi-tenant app of this deployment expires within 30 days, or has expired. Then every connection that uses the app fails.'
    severity: 1
    fires: 'found'
    dimension: ''
    frequency: 'PT1H'
    window: 'P2D'
    query: '''
AppTraces
| where Message startswith '{"event":"vendor_app_expiring"'
| where TimeGenerated > ago(26h)
'''
  }
  {
    name: 'tenant-throttled'
    title: 'Microsoft throttles a tenant'
    meaning: 'Microsoft has refused more than a fifth of the requests to a tenant because of throttling. Muster waits as it is told; imports take longer.'
    severity: 3
    fires: 'found'
    dimension: 'tenant'
    frequency: 'PT15M'
    window: 'PT30M'
    query: '''
AppTraces
| where Message startswith '{"event":"tenant_answered"'
| extend line = parse_json(Message)
| summarize accepted = sum(tolong(line.accepted)), throttled = sum(tolong(line.throttled)) by tenant = tostring(line.tenant)
| where throttled >= 50 and throttled * 5 > accepted + throttled
'''
  }
  {
    name: 'wrong-keys'
    title: 'Many requests without a valid key'
    meaning: 'More than 100 requests in 15 minutes had no valid API key: a client with an outdated key, or someone who tries keys.'
    severity: 2
    fires: 'found'
    dimension: ''
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
AppTraces
| where Message startswith '{"event":"request"'
| extend line = parse_json(Message)
| summarize refused = countif(toint(line.status) == 401)
| where refused > 100
'''
  }
  {
    name: 'operator-key'
    title: 'An operator key was used'
    meaning: 'Someone called the API as an operator. Make sure that it was one of you; the audit log has what was changed.'
    severity: 4
    fires: 'found'
    dimension: 'keyId'
    frequency: 'PT15M'
    window: 'PT30M'
    query: '''
AppTraces
| where Message startswith '{"event":"request"'
| extend line = parse_json(Message)
| where tostring(line.role) == 'operator'
| extend keyId = tostring(line.keyId)
'''
  }
  {
    name: 'webhook-disabled'
    title: 'A webhook was disabled'
    meaning: 'The deliveries of a webhook failed for days, or its receiver is gone. Its customer gets no more events.'
    severity: 3
    fires: 'found'
    dimension: 'webhookId'
    frequency: 'PT15M'
    window: 'PT1H'
    query: '''
AppTraces
| where Message startswith '{"event":"webhook_disabled"'
| extend line = parse_json(Message)
| extend webhookId = tostring(line.webhookId)
'''
  }
]

resource hostAccount 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostAccountName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: dataAccountName
}

resource operatorVault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: operatorVaultName
}

resource customerVault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: customerVaultName
}

var hasReceivers = !empty(emails) || !empty(webhookUrl)

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = if (hasReceivers) {
  name: 'operators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'Muster'
    enabled: true
    emailReceivers: [
      for (email, index) in emails: {
        name: 'email-${index + 1}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: empty(webhookUrl)
      ? []
      : [
          {
            name: 'webhook'
            serviceUri: webhookUrl
            useCommonAlertSchema: true
          }
        ]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alert-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Muster: ${rule.title}'
      description: rule.meaning
      severity: rule.severity
      enabled: true
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      // An alert ends when its cause does, and tells once each time.
      autoMitigate: true
      // A new workspace does not know the table before the first line arrives.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: (rule.fires == 'missing') ? 'LessThan' : 'GreaterThan'
            threshold: (rule.fires == 'missing') ? 1 : 0
            dimensions: empty(rule.dimension)
              ? []
              : [
                  {
                    name: rule.dimension
                    operator: 'Include'
                    values: [
                      '*'
                    ]
                  }
                ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: hasReceivers
          ? [
              receivers.id
            ]
          : []
      }
    }
  }
]

// What Azure itself measures, and the app perhaps cannot tell.
var availabilityRules = [
  {
    name: 'host-storage'
    title: 'The storage of the host is not available'
    id: hostAccount.id
  }
  {
    name: 'data-storage'
    title: 'The storage of the data is not available'
    id: dataAccount.id
  }
  {
    name: 'operator-vault'
    title: 'The operator vault is not available'
    id: operatorVault.id
  }
  {
    name: 'customer-vault'
    title: 'The customers\' vault is not available'
    id: customerVault.id
  }
]

resource availabilityAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for rule in availabilityRules: {
    name: 'alert-${rule.name}-unavailable'
    location: 'global'
    tags: tags
    properties: {
      description: 'Muster: ${rule.title}. Azure answered less than 99 percent of the requests. Look at the service health of Azure.'
      severity: 1
      enabled: true
      scopes: [
        rule.id
      ]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: 'availability'
            metricName: 'Availability'
            timeAggregation: 'Average'
            operator: 'LessThan'
            threshold: 99
          }
        ]
      }
      actions: hasReceivers
        ? [
            {
              actionGroupId: receivers.id
            }
          ]
        : []
    }
  }
]

resource storageThrottled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-storage-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'Muster: Azure throttles the storage of the data. An account takes 20,000 requests a second. Imports slow down.'
    severity: 2
    enabled: true
    scopes: [
      dataAccount.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'throttled'
          metricName: 'Transactions'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 100
          dimensions: [
            {
              name: 'ResponseType'
              operator: 'Include'
              values: [
                'ServerBusyError'
                'ClientThrottlingError'
                'ClientAccountRequestThrottlingError'
                'ClientAccountBandwidthThrottlingError'
              ]
            }
          ]
        }
      ]
    }
    actions: hasReceivers
      ? [
          {
            actionGroupId: receivers.id
          }
        ]
      : []
  }
}
