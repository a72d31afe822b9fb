import type { Trace } from '../http.ts';
import { pause } from '../pause.ts';
import { type Match, pathSegments, Router } from '../router.ts';
import type { World } from '../world.ts';
import { getApplication, getServicePrincipal, listAppRoleAssignments } from './app-objects.ts';
import type { Caller } from './caller.ts';
import { answerDirectoryCall, type DirectoryOperation } from './directory-call.ts';
import { getRoleDefinition, listRoleAssignments } from './exchange-roles.ts';
import { createFolder, deleteFolder, getFolder, listFolders, permanentDeleteFolder } from './folders.ts';
import type { GraphCall } from './graph-call.ts';
import { getGroup, listMembers, listUserMembers } from './group-members.ts';
import { answerMailCall, type MailOperation } from './mailbox-call.ts';
import { getMailboxSettings, getUserPurpose } from './mailbox-settings.ts';
import {
  createMessage,
  deleteMessage,
  getMessage,
  listMessages,
  moveMessage,
  permanentDeleteMessage,
  sendDraft,
  updateMessage,
} from './messages.ts';
import { getOrganization } from './organization.ts';
import { randomFault } from './random-faults.ts';
import { listContacts, listDeletedUsers, listGroups } from './recipients.ts';
import { frontDoorError, type GraphResponse } from './responses.ts';
import { sendMail } from './send-mail.ts';
import { countCall, nearLimitHeader, overRate } from './throttling.ts';
import { getUser, listUsers } from './users.ts';
import { deltaUsers } from './users-delta.ts';

type Operation = { mail: MailOperation } | { directory: DirectoryOperation };

const routes = new Router<Operation>()
  .add('GET', '/users', { directory: listUsers })
  .add('GET', '/users/delta', { directory: deltaUsers })
  .add('GET', '/users/microsoft.graph.delta', { directory: deltaUsers })
  .add('GET', '/users/{user}', { directory: getUser })
  .add('GET', '/groups', { directory: listGroups })
  .add('GET', '/groups/{group}', { directory: getGroup })
  .add('GET', '/groups/{group}/members', { directory: listMembers })
  .add('GET', '/groups/{group}/members/microsoft.graph.user', { directory: listUserMembers })
  .add('GET', '/contacts', { directory: listContacts })
  .add('GET', '/organization', { directory: getOrganization })
  .add('GET', '/directory/deletedItems/microsoft.graph.user', { directory: listDeletedUsers })
  .add('GET', '/servicePrincipals/{principal}', { directory: getServicePrincipal })
  .add('GET', '/servicePrincipals/{principal}/appRoleAssignments', { directory: listAppRoleAssignments })
  .add('GET', '/applications/{principal}', { directory: getApplication })
  .add('GET', '/roleManagement/exchange/roleAssignments', { directory: listRoleAssignments })
  .add('GET', '/roleManagement/exchange/roleDefinitions/{definition}', { directory: getRoleDefinition })
  .add('GET', '/users/{user}/mailFolders', { mail: listFolders })
  .add('POST', '/users/{user}/mailFolders', { mail: createFolder })
  .add('GET', '/users/{user}/mailFolders/{folder}', { mail: getFolder })
  .add('DELETE', '/users/{user}/mailFolders/{folder}', { mail: deleteFolder })
  .add('POST', '/users/{user}/mailFolders/{folder}/permanentDelete', { mail: permanentDeleteFolder })
  .add('POST', '/users/{user}/sendMail', { mail: sendMail })
  .add('POST', '/users/{user}/microsoft.graph.sendMail', { mail: sendMail })
  .add('GET', '/users/{user}/mailboxSettings', { mail: getMailboxSettings })
  .add('GET', '/users/{user}/mailboxSettings/userPurpose', { mail: getUserPurpose });

for (const parent of ['/users/{user}', '/users/{user}/mailFolders/{folder}']) {
  routes
    .add('GET', `${parent}/messages`, { mail: listMessages })
    .add('POST', `${parent}/messages`, { mail: createMessage })
    .add('GET', `${parent}/messages/{message}`, { mail: getMessage })
    .add('PATCH', `${parent}/messages/{message}`, { mail: updateMessage })
    .add('DELETE', `${parent}/messages/{message}`, { mail: deleteMessage })
    .add('POST', `${parent}/messages/{message}/permanentDelete`, { mail: permanentDeleteMessage })
    .add('POST', `${parent}/messages/{message}/move`, { mail: moveMessage })
    .add('POST', `${parent}/messages/{message}/send`, { mail: sendDraft });
}

/** Whether Exchange answers this call, and not the directory. */
export function isMailCall(method: string, path: string): boolean {
  const match = routes.match(method, pathSegments(path));
  return match.kind === 'found' && 'mail' in match.handler;
}

/** Answers one call, on its own or as part of a batch. The caller is authenticated. */
export async function answerGraphCall(
  world: World,
  caller: Caller,
  call: GraphCall,
): Promise<{ response: GraphResponse; trace: Trace }> {
  const match = routes.match(call.method, pathSegments(call.path));
  const trace: Trace = {
    service: 'graph',
    route: match.kind === 'none' ? '/v1.0/(unknown)' : `/v1.0${match.pattern}`,
    tenantId: caller.tenant.id,
    clientId: caller.app.scenario.clientId,
  };
  const isDirectory = match.kind === 'found' && 'directory' in match.handler;
  const usedShare = countCall(caller.tenant, caller.app, Date.now());
  const refused = overRate(caller, usedShare, call, isDirectory) ?? randomFault(caller.tenant, call);
  if (refused) {
    if (match.kind === 'found') trace.mailbox = match.params.user;
    await pause(world.latencyMs);
    return { response: refused, trace };
  }
  const unknownSegment = match.kind === 'none' ? match.unknownSegment : segmentOfOtherCloud(caller, match);
  if (match.kind === 'none' || unknownSegment !== undefined) {
    const message = `Resource not found for the segment '${unknownSegment}'.`;
    return { response: frontDoorError(call, 400, 'BadRequest', message), trace };
  }
  if (match.kind === 'otherMethod') {
    const message = 'The HTTP method is not allowed on this resource.';
    return {
      response: frontDoorError(call, 405, 'Request_BadRequest', message, { Allow: match.allowed.join(', ') }),
      trace,
    };
  }
  if ('directory' in match.handler && match.handler.directory.isBetaOnly && !call.isBeta) {
    const message = "Resource not found for the segment 'exchange'.";
    return { response: frontDoorError(call, 400, 'BadRequest', message), trace };
  }
  if ('directory' in match.handler) {
    await pause(world.latencyMs);
    const response = answerDirectoryCall(world, caller, match.handler.directory, call, match.params);
    return { response: { ...response, headers: { ...nearLimitHeader(usedShare), ...response.headers } }, trace };
  }
  const { response, mailbox } = await answerMailCall(world, caller, match.handler.mail, call, match.params);
  return { response, trace: { ...trace, mailbox: mailbox ?? match.params.user } };
}

/** The last segment of a route that the tenant's cloud does not have. */
function segmentOfOtherCloud({ tenant }: Caller, match: Match<Operation>): string | undefined {
  if (match.kind !== 'found' || !('mail' in match.handler) || !match.handler.mail.isGlobalOnly) return undefined;
  return tenant.scenario.cloud === 'global' ? undefined : match.pattern.split('/').at(-1);
}
