import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import type { Caller } from './caller.ts';
import type { GraphCall } from './graph-call.ts';
import { metadataUrl } from './odata.ts';
import { rolesOf } from './permissions.ts';
import { frontDoorError, type GraphResponse, plainJson } from './responses.ts';

export interface DirectoryCall {
  world: World;
  tenant: Tenant;
  params: Record<string, string>;
  call: GraphCall;
  /** The application permissions that the token carries and the tenant still grants. */
  roles: readonly string[];
}

export interface DirectoryOperation {
  /** Any one of these is enough. */
  permissions: readonly string[];
  /** Instead of these, where the calling app matters. */
  permissionsFor?(caller: Caller, params: Record<string, string>): readonly string[];
  /** The stable version of Graph does not have it. */
  isBetaOnly?: true;
  /** The base cost in Graph's resource units, before the query changes it. 1 unless stated. */
  units?: number;
  run(call: DirectoryCall): GraphResponse;
}

/** Answers a call on the directory. Only Entra's grants count: RBAC for Applications belongs to Exchange. */
export function answerDirectoryCall(
  world: World,
  caller: Caller,
  operation: DirectoryOperation,
  call: GraphCall,
  params: Record<string, string>,
): GraphResponse {
  const roles = rolesOf(caller);
  const permissions = operation.permissionsFor?.(caller, params) ?? operation.permissions;
  if (!permissions.some((permission) => roles.includes(permission))) {
    return notAllowed(call);
  }
  const response = operation.run({ world, tenant: caller.tenant, params, call, roles });
  const units = String(costOf(operation.units ?? 1, call.query));
  return { ...response, headers: { 'x-ms-resource-unit': units, ...response.headers } };
}

/** https://learn.microsoft.com/graph/throttling-limits#resource-unit-costs-per-request */
function costOf(units: number, query: URLSearchParams): number {
  const top = query.get('$top');
  const isShortPage = top !== null && Number(top) < 20;
  return Math.max(1, units - (query.has('$select') ? 1 : 0) + (query.has('$expand') ? 1 : 0) - (isShortPage ? 1 : 0));
}

/** A 200 with the body. `context` is what follows `#` in `@odata.context`. */
export function directoryResponse(context: string, body: object): GraphResponse {
  return {
    status: 200,
    headers: {
      'Content-Type': `${plainJson}; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8`,
    },
    body: { '@odata.context': `${metadataUrl}#${context}`, ...body },
  };
}

export function notAllowed(call: GraphCall): GraphResponse {
  return frontDoorError(call, 403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
}

export function resourceNotFound(call: GraphCall, name: string): GraphResponse {
  return frontDoorError(
    call,
    404,
    'Request_ResourceNotFound',
    `Resource '${name}' does not exist or one of its queried reference-property objects are not present.`,
  );
}

export function unsupportedQuery(call: GraphCall, message: string): GraphResponse {
  return frontDoorError(call, 400, 'Request_UnsupportedQuery', message);
}
