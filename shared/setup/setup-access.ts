import type { Connection } from '../connections/connection.ts';

/** What an app is to be allowed, and how. */
export const setupAccesses = ['graph', 'graph-scoped', 'imap', 'smtp'] as const;
export type SetupAccess = (typeof setupAccesses)[number];

/**
 * How Microsoft 365 grants it. `rbac`: RBAC for Applications, with a management scope. `accessPolicy`: an application
 * access policy, which restricts a grant in Entra. `mailboxPermission`: FullAccess to each mailbox.
 */
export const setupMethods = ['rbac', 'accessPolicy', 'mailboxPermission'] as const;
export type SetupMethod = (typeof setupMethods)[number];

/** The methods of each access. The first one is the default. */
export const methodsOf = {
  graph: [],
  'graph-scoped': ['rbac', 'accessPolicy'],
  imap: ['mailboxPermission'],
  smtp: ['rbac', 'mailboxPermission'],
} as const satisfies Record<SetupAccess, readonly SetupMethod[]>;

/** Whether this access can be granted in this way. Without a method: in its default way. */
export function isMethodOf(access: SetupAccess, method: SetupMethod | undefined): boolean {
  return method === undefined || (methodsOf[access] as readonly SetupMethod[]).includes(method);
}

/** Whether a script names a group whose members the app may reach. */
export function takesGroup(access: SetupAccess, method: SetupMethod | undefined): boolean {
  return access === 'graph-scoped' || (access === 'smtp' && (method ?? methodsOf.smtp[0]) === 'rbac');
}

/** Whether a script works through a list of mailboxes. */
export function takesMailboxes(access: SetupAccess): boolean {
  return access !== 'graph';
}

/** The API whose application permissions an access needs, by the ID that it has in every tenant. */
const GRAPH = '00000003-0000-0000-c000-000000000000';
const EXCHANGE = '00000002-0000-0ff1-ce00-000000000000';

const MAIL = ['Mail.ReadWrite', 'Mail.Send'] as const;

export interface Permissions {
  resourceAppId: string;
  /** Empty if Entra must grant nothing. */
  values: readonly string[];
}

/**
 * The application permissions that Entra grants for an access. None with RBAC for Applications: there, a grant in Entra
 * would reach every mailbox.
 */
export function permissionsOf(access: SetupAccess, method: SetupMethod | undefined): Permissions {
  const isRbac = method === 'rbac' || (method === undefined && (access === 'graph-scoped' || access === 'smtp'));
  const [resourceAppId, values] = {
    graph: [GRAPH, MAIL] as const,
    'graph-scoped': [GRAPH, MAIL] as const,
    imap: [EXCHANGE, ['IMAP.AccessAsApp']] as const,
    smtp: [EXCHANGE, ['SMTP.SendAsApp']] as const,
  }[access];
  return { resourceAppId, values: isRbac ? [] : values };
}

/**
 * Which permissions of Microsoft Graph a connection needs for its checks: no more than that is granted. A message to
 * itself must be found and deleted. What takes grants back takes back both, because the checks may have changed since.
 */
export function mailPermissionsOf(
  { probes, sendProbe }: Pick<Connection, 'probes' | 'sendProbe'>,
  undo: boolean,
): readonly string[] {
  const needed = MAIL.filter((permission) =>
    permission === 'Mail.Send'
      ? probes.includes('graph.send')
      : probes.includes('graph.readWrite') || (probes.includes('graph.send') && sendProbe === 'selfAddressed'),
  );
  return undo || needed.length === 0 ? MAIL : needed;
}

/** The roles of Exchange Online that RBAC for Applications assigns for an access. */
export function exchangeRolesOf(
  access: 'graph-scoped' | 'smtp',
  connection: Pick<Connection, 'probes' | 'sendProbe'>,
  undo: boolean,
): string[] {
  const permissions = access === 'smtp' ? ['SMTP.SendAsApp'] : mailPermissionsOf(connection, undo);
  return permissions.map((permission) => `Application ${permission}`);
}
