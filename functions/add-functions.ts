import type { app } from '@azure/functions';
import { type Api, createApi } from '../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../shared/edge/routes/endpoint.ts';
import { addApiKeyRoutes } from './http/accounts/api-keys.ts';
import { addAuditRoutes } from './http/accounts/audit.ts';
import { addCustomerRoutes } from './http/accounts/customers.ts';
import { addMeRoutes } from './http/accounts/me.ts';
import { addAlertEmailRoutes } from './http/alerts/alert-emails.ts';
import { addAlertRoutes } from './http/alerts/alerts.ts';
import { addExpiringSecretRoutes } from './http/alerts/expiring-secrets.ts';
import { addCertificateRoutes } from './http/connections/certificates.ts';
import { addConnectionRoutes } from './http/connections/connections.ts';
import { addScopeCheckRoute } from './http/connections/scope-check.ts';
import { addSetupScriptRoutes } from './http/connections/setup-scripts.ts';
import { addConsentRoutes } from './http/consent/consent.ts';
import { addDocsPage } from './http/docs/docs-page.ts';
import { addImportEventRoutes } from './http/imports/import-events.ts';
import { addImportReportRoutes } from './http/imports/import-reports.ts';
import { addImportSummaryRoute } from './http/imports/import-summary.ts';
import { addImportRoutes } from './http/imports/imports.ts';
import { addChangeMailboxRoutes } from './http/mailboxes/change-mailbox.ts';
import { addDirectoryRoutes } from './http/mailboxes/directory.ts';
import { addMailboxActionEventRoutes } from './http/mailboxes/mailbox-action-events.ts';
import { addMailboxActionRoutes } from './http/mailboxes/mailbox-actions.ts';
import { addMailboxRoutes } from './http/mailboxes/mailboxes.ts';
import { addHealthRoutes } from './http/operations/health.ts';
import { addOperationRoutes } from './http/operations/operations.ts';
import { addOpenApiRoute } from './http/pages/openapi.ts';
import { addProblemPages } from './http/pages/problem-page.ts';
import { addWebhookRoutes } from './http/webhooks/webhooks.ts';
import { addCheckMailboxQueue } from './queues/check-mailbox.ts';
import { addDeleteConnectionQueue } from './queues/delete-connection.ts';
import { addDeliverEventQueue } from './queues/deliver-event.ts';
import { addDispatchChecksQueue } from './queues/dispatch-checks.ts';
import { addPlanImportQueue } from './queues/plan-import.ts';
import { addPublishEventsQueue } from './queues/publish-events.ts';
import { addReadDirectoryQueue } from './queues/read-directory.ts';
import { addFindExpiringSecretsTimer } from './timers/find-expiring-secrets.ts';
import { addReconcileSlotsTimer } from './timers/reconcile-slots.ts';
import { addRemoveExpiredDataTimer } from './timers/remove-expired-data.ts';
import { addRemoveOrphanedSecretsTimer } from './timers/remove-orphaned-secrets.ts';
import { addReverifyMailboxesTimer } from './timers/reverify-mailboxes.ts';
import { addSweepDeletionsTimer } from './timers/sweep-deletions.ts';
import { addSweepDirectoriesTimer } from './timers/sweep-directories.ts';
import { addSweepEventsTimer } from './timers/sweep-events.ts';
import { addSweepImportsTimer } from './timers/sweep-imports.ts';
import { addTidyUpTimer } from './timers/tidy-up.ts';
import { addWatchQueuesTimer } from './timers/watch-queues.ts';

const routes = [
  addHealthRoutes,
  addCustomerRoutes,
  addApiKeyRoutes,
  addMeRoutes,
  addConnectionRoutes,
  addScopeCheckRoute,
  addCertificateRoutes,
  addConsentRoutes,
  addSetupScriptRoutes,
  addExpiringSecretRoutes,
  addAlertRoutes,
  addAlertEmailRoutes,
  addImportRoutes,
  addImportEventRoutes,
  addImportReportRoutes,
  addImportSummaryRoute,
  addMailboxRoutes,
  addDirectoryRoutes,
  addChangeMailboxRoutes,
  addMailboxActionRoutes,
  addMailboxActionEventRoutes,
  addWebhookRoutes,
  addAuditRoutes,
  addOperationRoutes,
  addOpenApiRoute,
  addDocsPage,
  addProblemPages,
] as const;

const queuesAndTimers = [
  addPlanImportQueue,
  addDispatchChecksQueue,
  addCheckMailboxQueue,
  addDeleteConnectionQueue,
  addPublishEventsQueue,
  addDeliverEventQueue,
  addReadDirectoryQueue,

  addSweepImportsTimer,
  addSweepDeletionsTimer,
  addSweepEventsTimer,
  addSweepDirectoriesTimer,
  addFindExpiringSecretsTimer,
  addRemoveOrphanedSecretsTimer,
  addTidyUpTimer,
  addReconcileSlotsTimer,
  addRemoveExpiredDataTimer,
  addReverifyMailboxesTimer,
  addWatchQueuesTimer,
] as const;

/** Everything that the functions need, handed over by the entry point. */
export type FunctionDeps = EndpointDeps & DepsOf<typeof routes> & DepsOf<typeof queuesAndTimers>;

/** Registers every function of the app. The app and the tests use this one list, so the tests cannot miss a route. */
export function addFunctions(host: Pick<typeof app, 'http' | 'storageQueue' | 'timer'>, deps: FunctionDeps): Api {
  const api = createApi(host, deps);
  for (const register of routes) register(api, deps);
  api.refuseUnknownRoutes();
  for (const register of queuesAndTimers) register(host, deps);
  return api;
}

type DepsOf<List extends readonly ((host: never, deps: never) => void)[]> = Intersection<Parameters<List[number]>[1]>;
type Intersection<Union> = (Union extends unknown ? (value: Union) => void : never) extends (value: infer All) => void
  ? All
  : never;
