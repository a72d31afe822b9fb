import { app } from '@azure/functions';
import { buildDeps } from '../shared/wiring/build-deps.ts';
import { readConfig } from '../shared/wiring/config.ts';
import { addApiKeyRoutes } from './http/api-keys.ts';
import { addConnectionRoutes } from './http/connections.ts';
import { addConsentRoutes } from './http/consent.ts';
import { addCustomerRoutes } from './http/customers.ts';
import { addExpiringSecretRoutes } from './http/expiring-secrets.ts';
import { addHealthRoutes } from './http/health.ts';
import { addImportRoutes } from './http/imports.ts';
import { addMailboxRoutes } from './http/mailboxes.ts';
import { addMeRoutes } from './http/me.ts';
import { addCheckMailboxQueue } from './queues/check-mailbox.ts';
import { addImportWorkQueues } from './queues/import-work.ts';
import { addFindExpiringSecretsTimer } from './timers/find-expiring-secrets.ts';
import { addSweepImportsTimer } from './timers/sweep-imports.ts';
import { addTidyUpTimer } from './timers/tidy-up.ts';

// Uploads are read as they come in; every handler is wrapped, because one that throws would leave its caller waiting.
app.setup({ enableHttpStream: true });

const deps = buildDeps(readConfig(process.env), (level, event, fields) =>
  console[level](JSON.stringify({ event, ...fields })),
);

addHealthRoutes(app, deps);
addCustomerRoutes(app, deps);
addApiKeyRoutes(app, deps);
addMeRoutes(app, deps);
addConnectionRoutes(app, deps);
addConsentRoutes(app, deps);
addExpiringSecretRoutes(app, deps);
addImportRoutes(app, deps);
addMailboxRoutes(app, deps);

addImportWorkQueues(app, deps);
addCheckMailboxQueue(app, deps);

addSweepImportsTimer(app, deps);
addFindExpiringSecretsTimer(app, deps);
addTidyUpTimer(app, deps);
