import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { frontDoorError, type GraphAnswer, type GraphCall, plainJson } from './answers.ts';
import type { Caller } from './caller.ts';

export interface DirectoryCall {
  world: World;
  tenant: Tenant;
  caller: Caller;
  params: Record<string, string>;
  call: GraphCall;
  /** The application permissions that the token shows and the tenant still grants. */
  roles: readonly string[];
}

export interface DirectoryOperation {
  needs: readonly string[];
  /** What it costs before the query is looked at, in Graph's resource units. */
  units?: number;
  run(call: DirectoryCall): GraphAnswer;
}

/** The directory knows Entra's grants only: RBAC for Applications is Exchange's. */
export function answerDirectoryCall(
  world: World,
  caller: Caller,
  operation: DirectoryOperation,
  call: GraphCall,
  params: Record<string, string>,
): GraphAnswer {
  const { claims, app, tenant } = caller;
  const roles = (claims.roles ?? []).filter((role) => app.grants.includes(role));
  if (!operation.needs.some((permission) => roles.includes(permission))) {
    return frontDoorError(
      call,
      403,
      'Authorization_RequestDenied',
      'Insufficient privileges to complete the operation.',
    );
  }
  const answer = operation.run({ world, tenant, caller, params, call, roles });
  const units = String(costOf(operation.units ?? 1, call.query));
  return { ...answer, headers: { 'x-ms-resource-unit': units, ...answer.headers } };
}

/** Graph's own reckoning: https://learn.microsoft.com/graph/throttling-limits#resource-unit-costs-per-request */
function costOf(units: number, query: URLSearchParams): number {
  const top = query.get('$top');
  const few = top !== null && Number(top) < 20;
  return Math.max(1, units - (query.has('$select') ? 1 : 0) + (query.has('$expand') ? 1 : 0) - (few ? 1 : 0));
}

export function directoryAnswer(body: object): GraphAnswer {
  return {
    status: 200,
    headers: {
      'Content-Type': `${plainJson}; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8`,
    },
    body,
  };
}

export function resourceNotFound(call: GraphCall, name: string): GraphAnswer {
  return frontDoorError(
    call,
    404,
    'Request_ResourceNotFound',
    `Resource '${name}' does not exist or one of its queried reference-property objects are not present.`,
  );
}

export function unsupportedQuery(call: GraphCall, message: string): GraphAnswer {
  return frontDoorError(call, 400, 'Request_UnsupportedQuery', message);
}
