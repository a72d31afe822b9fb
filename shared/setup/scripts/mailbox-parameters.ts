import type { Parameter } from '../powershell-script.ts';
import { list, literal } from '../powershell-text.ts';
import type { SetupInput } from '../setup-input.ts';

/** How a script is told its mailboxes: by the import's failed rows, by name, or by a file of any length. */
export function mailboxParameters({ mailboxes, connection, access }: SetupInput): Parameter[] {
  return [
    {
      name: 'Mailbox',
      type: 'string[]',
      help: 'Addresses of mailboxes.',
      value: list(mailboxes?.addresses ?? []),
    },
    {
      name: 'MailboxFile',
      type: 'string',
      help: 'A CSV file with a column email_address, such as failed.csv of an import. It may have any number of rows.',
    },
    {
      name: 'ChangesFile',
      type: 'string',
      help: 'Where the setup script writes what it changes in mailboxes. The undo script changes that back.',
      value: `(Join-Path (Get-Location).Path ${literal(`muster-${connection.id}-${access}-changes.csv`)})`,
    },
  ];
}

export function nextLineSetting({ mailboxes }: SetupInput): readonly [string, string] {
  return ['NextLine', literal(mailboxes?.nextLine === undefined ? '' : String(mailboxes.nextLine))];
}

export const MORE_MAILBOXES = `if ($NextLine) { Write-Warning "More mailboxes of the import failed. Get the next script with fromLine=$NextLine." }
`;
