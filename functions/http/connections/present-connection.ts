import type { z } from 'zod';
import { explain } from '../../../shared/causes/explain.ts';
import type { ConnectionFinding } from '../../../shared/causes/verdict.ts';
import { type Connection, hasOwnApp } from '../../../shared/connections/connection.ts';
import { enteredExpiryOf, registrationOf } from '../../../shared/connections/expiry/app-registration.ts';
import { newerCredentialsOf } from '../../../shared/connections/expiry/newer-credential.ts';
import type { connectionFindingSchema } from '../finding-schemas.ts';
import type { connectionSchema } from './connection-schemas.ts';
import { presentCredential } from './present-credential.ts';
import { presentNewer } from './present-newer.ts';
import { presentScopeCheck } from './present-scope-check.ts';
import { presentTestResult } from './present-test-result.ts';

/** A connection as the API shows it. Fields are listed, never spread, so that showing a new one is a decision. */
export function presentConnection(
  connection: Connection,
  now: Date,
  expiringWithinDays: number,
): z.infer<typeof connectionSchema> {
  const { adminConfirmation } = connection;
  return {
    id: connection.id,
    name: connection.name,
    cloud: connection.cloud,
    tenantId: connection.tenantId,
    ...(connection.tenantDomain !== undefined && { tenantDomain: connection.tenantDomain }),
    verifiedDomains: connection.verifiedDomains ?? null,
    app: hasOwnApp(connection) ? 'own' : 'vendor',
    clientId: connection.clientId,
    confirmedByAdmin: adminConfirmation
      ? { at: adminConfirmation.at.toISOString(), objectId: adminConfirmation.adminId }
      : null,
    ...presentCredential(connection, now, expiringWithinDays),
    probes: connection.probes,
    sendProbe: connection.sendProbe,
    defaultMailbox: connection.defaultMailbox ?? null,
    status: connection.status,
    finding: connection.finding ? presentFinding(connection.finding) : null,
    lastTest: connection.lastTest ? presentTestResult(connection.lastTest) : null,
    entra: presentEntra(connection),
    lastScopeCheck: connection.lastScopeCheck ? presentScopeCheck(connection.lastScopeCheck, connection, now) : null,
    consentedAt: connection.consentedAt?.toISOString() ?? null,
    createdAt: connection.createdAt.toISOString(),
  };
}

function presentEntra(connection: Connection): z.infer<typeof connectionSchema>['entra'] {
  const view = registrationOf(connection);
  if (!view) return null;
  const { checkedAt, isReadable, inUse } = view;
  return {
    checkedAt: checkedAt.toISOString(),
    isReadable,
    secretId: inUse?.keyId ?? null,
    secretName: inUse?.name ?? null,
    expiresAt: inUse?.expiresAt.toISOString() ?? null,
    enteredExpiresAt: enteredExpiryOf(connection)?.toISOString() ?? null,
    ...presentNewer(newerCredentialsOf(connection)),
  };
}

function presentFinding(finding: ConnectionFinding): z.infer<typeof connectionFindingSchema> {
  const { sentence, fix, link } = explain(finding.cause, finding);
  return {
    cause: finding.cause,
    detail: finding.detail || sentence,
    fix,
    link,
    seenAt: finding.seenAt.toISOString(),
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
  };
}
