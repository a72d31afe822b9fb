import type { Connection } from '../connections/connection.ts';
import type { SetupAccess, SetupMethod } from './setup-access.ts';

/** What a script for a connection is made from. */
export interface SetupInput {
  connection: Pick<
    Connection,
    'id' | 'name' | 'cloud' | 'tenantId' | 'clientId' | 'defaultMailbox' | 'probes' | 'sendProbe'
  >;
  access: SetupAccess;
  method?: SetupMethod;
  /** Whether the script takes back what the other one grants. */
  undo: boolean;
  /** The group whose members the app may reach: an address or a name. Without it the script asks for it. */
  group?: string;
  /** Without them the script takes a file. */
  mailboxes?: ListedMailboxes;
}

/** Mailboxes of an import that failed for a reason that the script can fix. */
export interface ListedMailboxes {
  addresses: readonly string[];
  /** The line of the import from which the next script goes on. Absent if this one has the last of them. */
  nextLine?: number;
}

/** What a script that registers an app is made from. There is no connection yet. */
export interface RegistrationInput {
  cloud: Connection['cloud'];
  /** Its domain or ID. Without it the script asks for it. */
  tenant?: string;
  appName: string;
  access: SetupAccess;
  method?: SetupMethod;
  /** Where Microsoft sends an admin after the consent dialog. */
  redirectUri: string;
  /** Whether the script deletes the app again. */
  undo: boolean;
}

export interface SetupScript {
  /** `muster-imap-conn_1-undo.ps1` */
  fileName: string;
  text: string;
}
