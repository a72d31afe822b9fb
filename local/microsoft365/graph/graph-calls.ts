import type { Trace } from '../http.ts';
import { pathSegments, Router } from '../router.ts';
import type { World } from '../world.ts';
import { frontDoorError, type GraphAnswer, type GraphCall } from './answers.ts';
import type { Caller } from './caller.ts';
import { answerDirectoryCall, type DirectoryOperation } from './directory-call.ts';
import {
  getApplication,
  getOrganization,
  getServicePrincipal,
  listAppRoleAssignments,
  listContacts,
  listDeletedUsers,
  listGroups,
} from './directory-objects.ts';
import { createFolder, deleteFolder, getFolder, listFolders, permanentDeleteFolder } from './folders.ts';
import { answerMailCall, type MailOperation, pause } from './mailbox-call.ts';
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
import { sendMail } from './send-mail.ts';
import { countCall, faultByChance, nearLimit, overRate } from './throttling.ts';
import { getUser, listUsers } from './users.ts';

type Operation = { mail: MailOperation } | { directory: DirectoryOperation };

const routes = new Router<Operation>()
  .add('GET', '/users', { directory: listUsers })
  .add('GET', '/users/{user}', { directory: getUser })
  .add('GET', '/groups', { directory: listGroups })
  .add('GET', '/contacts', { directory: listContacts })
  .add('GET', '/organization', { directory: getOrganization })
  .add('GET', '/directory/deletedItems/microsoft.graph.user', { directory: listDeletedUsers })
  .add('GET', '/servicePrincipals/{principal}', { directory: getServicePrincipal })
  .add('GET', '/servicePrincipals/{principal}/appRoleAssignments', { directory: listAppRoleAssignments })
  .add('GET', '/applications/{principal}', { directory: getApplication })
  .add('GET', '/users/{user}/mailFolders', { mail: listFolders })
  .add('POST', '/users/{user}/mailFolders', { mail: createFolder })
  .add('GET', '/users/{user}/mailFolders/{folder}', { mail: getFolder })
  .add('DELETE', '/users/{user}/mailFolders/{folder}', { mail: deleteFolder })
  .add('POST', '/users/{user}/mailFolders/{folder}/permanentDelete', { mail: permanentDeleteFolder })
  .add('POST', '/users/{user}/sendMail', { mail: sendMail })
  .add('POST', '/users/{user}/microsoft.graph.sendMail', { mail: sendMail })
  .add('GET', '/users/{user}/mailboxSettings', { mail: getMailboxSettings })
  .add('GET', '/users/{user}/mailboxSettings/userPurpose', { mail: getUserPurpose });

for (const home of ['/users/{user}', '/users/{user}/mailFolders/{folder}']) {
  routes
    .add('GET', `${home}/messages`, { mail: listMessages })
    .add('POST', `${home}/messages`, { mail: createMessage })
    .add('GET', `${home}/messages/{message}`, { mail: getMessage })
    .add('PATCH', `${home}/messages/{message}`, { mail: updateMessage })
    .add('DELETE', `${home}/messages/{message}`, { mail: deleteMessage })
    .add('POST', `${home}/messages/{message}/permanentDelete`, { mail: permanentDeleteMessage })
    .add('POST', `${home}/messages/{message}/move`, { mail: moveMessage })
    .add('POST', `${home}/messages/{message}/send`, { mail: sendDraft });
}

/** Answers one call, plain or a part of a batch; the caller is known by now. */
export async function answerGraphCall(
  world: World,
  caller: Caller,
  call: GraphCall,
): Promise<{ answer: GraphAnswer; trace: Trace }> {
  const match = routes.match(call.method, pathSegments(call.path));
  const trace: Trace = {
    service: 'graph',
    route: match.kind === 'none' ? '/v1.0/(unknown)' : `/v1.0${match.pattern}`,
    tenantId: caller.tenant.id,
    clientId: caller.app.scenario.clientId,
  };
  const isDirectory = match.kind === 'found' && 'directory' in match.handler;
  const rate = countCall(caller.tenant, caller.app, Date.now());
  const refused = overRate(caller, rate, call, isDirectory) ?? faultByChance(caller.tenant, call);
  if (refused) {
    if (match.kind === 'found') trace.mailbox = match.params.user;
    await pause(world.latencyMs);
    return { answer: refused, trace };
  }
  if (match.kind === 'none') {
    const message = `Resource not found for the segment '${match.unknownSegment}'.`;
    return { answer: frontDoorError(call, 400, 'BadRequest', message), trace };
  }
  if (match.kind === 'otherMethod') {
    const message = 'The HTTP method is not allowed on this resource.';
    return {
      answer: frontDoorError(call, 405, 'Request_BadRequest', message, { Allow: match.allowed.join(', ') }),
      trace,
    };
  }
  if ('directory' in match.handler) {
    await pause(world.latencyMs);
    const answer = answerDirectoryCall(world, caller, match.handler.directory, call, match.params);
    return { answer: { ...answer, headers: { ...nearLimit(rate), ...answer.headers } }, trace };
  }
  const { answer, mailbox } = await answerMailCall(world, caller, match.handler.mail, call, match.params);
  return { answer, trace: { ...trace, mailbox: mailbox ?? match.params.user } };
}
