import { environments } from '../environments.ts';
import type { Parameter } from '../powershell-script.ts';
import { literal, text } from '../powershell-text.ts';
import type { SetupInput } from '../setup-input.ts';

const LEARN = 'https://learn.microsoft.com';

/** Microsoft's pages about the steps of the scripts. */
export const pages = {
  register: `${LEARN}/entra/identity-platform/quickstart-register-app`,
  consent: `${LEARN}/entra/identity/enterprise-apps/grant-admin-consent`,
  rbac: `${LEARN}/exchange/permissions-exo/application-rbac`,
  policy: `${LEARN}/exchange/permissions-exo/application-access-policies`,
  protocols: `${LEARN}/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth`,
  smtpRbac: `${LEARN}/exchange/client-developer/legacy-protocols/smtp-app-rbac-onboarding`,
  imapSwitch: `${LEARN}/exchange/clients-and-mobile-in-exchange-online/pop3-and-imap4/enable-or-disable-pop3-or-imap4-access`,
  smtpSwitch: `${LEARN}/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission`,
} as const;

export const GRAPH_MODULE = 'Microsoft.Graph.Applications';
export const EXCHANGE_MODULE = 'ExchangeOnlineManagement';

export const ENTRA_ROLE = 'Privileged Role Administrator (Global Administrator works too).';
export const EXCHANGE_ROLE =
  'Exchange Administrator with the role group Organization Management. For reading Entra, no more than the right to read apps.';
export const BOTH_ROLES =
  'Exchange Administrator with the role group Organization Management, who is also Privileged Role Administrator for the consent. Global Administrator works too.';

/** The variables that every script for a connection has. */
export function connectionSettings({ connection }: SetupInput): (readonly [string, string])[] {
  const { graph, exchange } = environments[connection.cloud];
  return [
    ['ConnectionName', text(connection.name)],
    ['ConnectionId', literal(connection.id)],
    ['TenantId', literal(connection.tenantId)],
    ['ClientId', literal(connection.clientId)],
    ['GraphEnvironment', literal(graph)],
    ['ExchangeEnvironment', literal(exchange)],
    ['AppName', literal(`Muster ${connection.id}`)],
  ];
}

/** The first lines that a script prints: for which tenant and app it is. */
export const INTRODUCTION = `
Write-Host "Muster: $ConnectionName ($ConnectionId)"
Write-Host "Tenant $TenantId, app $ClientId"`;

export const objectIdParameter: Parameter = {
  name: 'ServicePrincipalObjectId',
  type: 'string',
  help: 'Optional: the object ID of the enterprise application, to compare it with what Entra says.',
};

export function groupParameter(group: string | undefined): Parameter {
  return {
    name: 'ScopeGroup',
    type: 'string',
    help: 'The group whose members the app may reach: its e-mail address.',
    ...(group === undefined ? { isRequired: true } : { value: text(group) }),
  };
}

export function testMailboxParameter(defaultMailbox: string | undefined): Parameter {
  return {
    name: 'TestMailbox',
    type: 'string',
    help: 'The mailbox for the check at the end. Without it, the first three members of the group.',
    ...(defaultMailbox !== undefined && { value: text(defaultMailbox) }),
  };
}

export const removeServicePrincipalParameter: Parameter = {
  name: 'RemoveServicePrincipal',
  type: 'switch',
  help: 'Also removes the service principal of the app from Exchange Online.',
};
