import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { CauseCode } from '../../../shared/causes/causes.ts';
import type { Cloud } from '../../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { CALLBACK_PATH } from '../../../shared/connections/consent/consent.ts';
import { cloudField, tenantField } from '../../../shared/connections/lifecycle/connection-fields.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { nameField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { listFailedMailboxes } from '../../../shared/imports/reports/list-failed-mailboxes.ts';
import { requireImport } from '../../../shared/imports/require-import.ts';
import type { CustomerActor } from '../../../shared/kernel/actor.ts';
import { notFound } from '../../../shared/kernel/ids.ts';
import {
  isMethodOf,
  methodsOf,
  type SetupAccess,
  setupAccesses,
  setupMethods,
  takesGroup,
  takesMailboxes,
} from '../../../shared/setup/setup-access.ts';
import type { SetupScript } from '../../../shared/setup/setup-input.ts';
import { writeRegistrationScript, writeSetupScript } from '../../../shared/setup/setup-script.ts';

interface Deps extends EndpointDeps {
  connections: Pick<ConnectionStore, 'get'>;
  imports: ImportStore;
  ledger: Ledger;
  publicUrl: string;
  /** Whether this deployment is configured to reach the cloud. */
  hasCloud: (cloud: Cloud) => boolean;
}

const SCRIPT = 'text/plain; charset=utf-8';
const disposition = { 'Content-Disposition': 'A name for the file. It ends in `.ps1`.' };

const access = z.enum(setupAccesses).meta({
  description:
    'What the app is to be allowed. `graph`: `Mail.ReadWrite` and `Mail.Send` for every mailbox of the tenant, or only the one that the probes of the connection need. `graph-scoped`: the same for the members of a group. `imap`, `smtp`: sign-in with these protocols.',
});
const method = z.enum(setupMethods).optional().meta({
  description:
    'How it is granted. For `graph-scoped`: `rbac` (RBAC for Applications, the default) or `accessPolicy` (an application access policy, which restricts a grant in Entra). For `smtp`: `rbac` (the default) or `mailboxPermission` (`SMTP.SendAsApp` and FullAccess to each mailbox). For `imap`: `mailboxPermission`.',
});
const undo = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')
  .meta({ description: '`true`: the script that takes back what the other one has set up.' });

const LINE_MAX = 10_000_000;
const GROUP_MAX_LENGTH = 320;
const APP_NAME_MAX_LENGTH = 120;

/** The causes that a script can fix. */
const fixedCauses: Record<SetupAccess, readonly CauseCode[]> = {
  graph: [],
  'graph-scoped': ['mailbox_out_of_scope', 'access_policy_blocked'],
  imap: ['imap_disabled', 'imap_access_missing'],
  smtp: ['smtp_access_missing', 'smtp_auth_disabled_mailbox', 'smtp_auth_disabled_tenant', 'send_as_denied'],
};

const scriptQuery = z
  .strictObject({
    access,
    method,
    undo,
    group: nameField(GROUP_MAX_LENGTH)
      .optional()
      .meta({
        description:
          'For `rbac` and `accessPolicy`: the group whose members the app may reach. Without it, the script asks for it.',
        examples: ['muster@contoso.com'],
      }),
    importId: z.string().optional().meta({
      description:
        'Not for `graph`: an import of this connection. The script names its mailboxes that failed for a reason that the script fixes, up to 1,000 of them.',
    }),
    fromLine: z.coerce.number().int().min(0).max(LINE_MAX).optional().meta({
      description: 'With `importId`: the line to begin with, from the header `Muster-Next-Line` of the script before.',
    }),
  })
  .superRefine((query, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (!isMethodOf(query.access, query.method)) {
      const methods = methodsOf[query.access].join(' or ');
      refuse('method', methods ? `must be ${methods} for ${query.access}` : `does not apply to ${query.access}`);
    } else if (query.group !== undefined && !takesGroup(query.access, query.method)) {
      refuse('group', 'applies only to a script that restricts the app to a group');
    }
    if (query.importId !== undefined && !takesMailboxes(query.access)) {
      refuse('importId', 'does not apply to graph');
    }
    if (query.fromLine !== undefined && query.importId === undefined) refuse('fromLine', 'needs importId');
  });

/** The routes that give an admin a script. They change nothing. */
export function addSetupScriptRoutes(api: Api, deps: Deps): void {
  const listMailboxes = async (actor: CustomerActor, connectionId: string, query: z.infer<typeof scriptQuery>) => {
    if (query.importId === undefined) return undefined;
    const record = await requireImport(deps, actor, query.importId);
    if (record.connectionId !== connectionId) throw notFound('imp', { importId: query.importId });
    return listFailedMailboxes(deps, record, fixedCauses[query.access], query.fromLine);
  };

  api.route({
    name: 'connections-setup-script',
    method: 'GET',
    path: 'v1/connections/{connectionId}/setup-script',
    tag: 'Connections',
    summary: 'Get a PowerShell script that sets up the app',
    description:
      'An admin of the tenant runs it, in PowerShell 7 or Windows PowerShell 5.1. It grants what the connection needs, leaves as it is what is already right, prints what it has changed, and ends with a check. With `-WhatIf` it changes nothing. It holds no secret. Save it as a file: its name is in `Content-Disposition`.',
    refusals: ['gone'],
    responses: {
      200: {
        description: 'The script, in ASCII.',
        contentType: SCRIPT,
        headers: {
          ...disposition,
          'Muster-Next-Line':
            'With `importId`, if there may be more mailboxes: the `fromLine` of the next script. Or give the script all of them: `-MailboxFile failed.csv`.',
        },
      },
    },
    permission: 'read',
    query: scriptQuery,
    async handle({ actor, params: { connectionId = '' }, query }) {
      const connection = await requireConnection(deps, actor, connectionId);
      const mailboxes = await listMailboxes(actor, connectionId, query);
      const { access, method, undo, group } = query;
      const script = writeSetupScript({
        connection,
        access,
        undo,
        ...(method && { method }),
        ...(group !== undefined && { group }),
        ...(mailboxes && { mailboxes }),
      });
      const nextLine = mailboxes?.nextLine;
      return answer(script, nextLine === undefined ? {} : { 'muster-next-line': String(nextLine) });
    },
  });

  api.route({
    name: 'setup-script',
    method: 'GET',
    path: 'v1/setup-script',
    tag: 'Connections',
    summary: 'Get a PowerShell script that registers an app',
    description:
      'For a tenant that has no app yet. It registers the app, gives it the permissions of the access, and prints the tenant ID and the client ID that a connection needs. With `-CreateSecret` it also creates a client secret and shows its value to the admin.',
    responses: { 200: { description: 'The script, in ASCII.', contentType: SCRIPT, headers: disposition } },
    permission: 'read',
    query: z
      .strictObject({
        access: access.default('graph'),
        method,
        undo,
        tenant: tenantField.optional(),
        cloud: cloudField(deps.hasCloud).default('global'),
        appName: nameField(APP_NAME_MAX_LENGTH)
          .default('Muster')
          .meta({ description: 'The name of the app in Entra.' }),
      })
      .refine((query) => isMethodOf(query.access, query.method), {
        path: ['method'],
        message: 'does not apply to this access',
      }),
    async handle({ query: { tenant, method, ...rest } }) {
      const script = writeRegistrationScript({
        ...rest,
        redirectUri: `${deps.publicUrl}${CALLBACK_PATH}`,
        ...(tenant !== undefined && { tenant }),
        ...(method && { method }),
      });
      return answer(script);
    },
  });
}

function answer({ fileName, text }: SetupScript, headers: Record<string, string> = {}): HttpResponseInit {
  return {
    headers: { 'content-type': SCRIPT, 'content-disposition': `attachment; filename="${fileName}"`, ...headers },
    body: text,
  };
}
