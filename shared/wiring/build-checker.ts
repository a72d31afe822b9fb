import { setTimeout as pause } from 'node:timers/promises';
import type { CloudEndpoints } from '../adapters/entra/clouds.ts';
import { createSendBatch } from '../adapters/graph/batch.ts';
import { createGetJson } from '../adapters/graph/get-json.ts';
import { graphAppRegistrations } from '../adapters/graph/graph-app-registrations.ts';
import { graphMail } from '../adapters/graph/graph-mail.ts';
import { graphOffLimits } from '../adapters/graph/graph-off-limits.ts';
import { graphOrganizations } from '../adapters/graph/graph-organizations.ts';
import { graphRecipients } from '../adapters/graph/graph-recipients.ts';
import { graphRoleAssignments } from '../adapters/graph/graph-role-assignments.ts';
import { graphTenantGroups } from '../adapters/graph/graph-tenant-groups.ts';
import { graphTenantUsers } from '../adapters/graph/graph-tenant-users.ts';
import { protocolMail } from '../adapters/mail/protocol-mail.ts';
import { createMailboxChecker } from '../checks/check-mailbox.ts';
import { createScopeCheck } from '../checks/scope-check/run-scope-check.ts';
import type { Cloud, Connection } from '../connections/connection.ts';
import type { Audience, Tokens } from '../connections/tokens.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Config } from './config.ts';

/** Builds everything that asks Microsoft about mailboxes and tenants. */
export function buildChecker(deps: {
  tokens: Tokens;
  clouds: (cloud: Cloud) => CloudEndpoints;
  clock: Clock;
  settings: Pick<Config['settings'], 'CHECK_TIMEOUT' | 'CONNECTION_TEST_STEP'>;
}) {
  const { tokens, clouds, clock, settings } = deps;
  const sendBatch = createSendBatch({ timeoutMs: settings.CHECK_TIMEOUT, now: clock.now });
  const sendBetaBatch = createSendBatch({ timeoutMs: settings.CHECK_TIMEOUT, now: clock.now, version: 'beta' });
  const getJson = createGetJson({ timeoutMs: settings.CHECK_TIMEOUT, now: clock.now });
  const graph = graphMail({ sendBatch, clouds });
  const protocols = protocolMail({ clouds, timeoutMs: settings.CHECK_TIMEOUT });
  return {
    checker: createMailboxChecker({
      tokens,
      graph,
      recipients: graphRecipients({ sendBatch, clouds }),
      protocols,
      pause: (ms) => pause(ms),
      clock,
    }),
    runScopeCheck: createScopeCheck({
      tokens,
      graph,
      protocols,
      offLimitsMail: graphOffLimits({ sendBatch, clouds }),
      roleAssignments: graphRoleAssignments({ sendBatch: sendBetaBatch, clouds }),
      stepLimitMs: settings.CONNECTION_TEST_STEP,
      clock,
    }),
    organizations: graphOrganizations({ sendBatch, clouds }),
    registrations: graphAppRegistrations({ sendBatch, clouds }),
    tenantGroups: graphTenantGroups({ getJson, clouds }),
    tenantUsers: graphTenantUsers({ getJson, sendBatch, clouds }),
    resourceOf: (connection: Connection, audience: Audience) => {
      const { graphResource, exchangeResource } = clouds(connection.cloud);
      return audience === 'graph' ? graphResource : exchangeResource;
    },
  };
}
