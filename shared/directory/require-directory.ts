import { causes } from '../causes/causes.ts';
import { DomainError } from '../kernel/errors.ts';
import type { DirectoryFinding, DirectoryRecord } from './directory-record.ts';

const REFRESH = 'Read it with POST …/directory/refresh, and try again when `reading` is false.';

/**
 * Refuses to use a directory that was never read completely: what it lacks would be taken for absent.
 *
 * @throws DomainError `directory_unavailable`
 */
export function requireRead(record: DirectoryRecord | undefined): void {
  if (record?.readAt) return;
  if (record?.finding) {
    const { detail, fix, link } = explainFinding(record.finding);
    const { cause, permission } = record.finding;
    throw new DomainError('directory_unavailable', `${detail} ${fix}`, {
      members: { cause, fix, link, ...(permission !== undefined && { permission }) },
    });
  }
  throw new DomainError(
    'directory_unavailable',
    record?.read
      ? 'The directory of this tenant is being read for the first time. Try again when `reading` is false.'
      : `The directory of this tenant has not been read yet. ${REFRESH}`,
  );
}

/** What is wrong, and how to fix it. The text of `permission_missing` is about mailboxes, so this one has its own. */
export function explainFinding({ cause, permission }: Pick<DirectoryFinding, 'cause' | 'permission'>): {
  detail: string;
  fix: string;
  link: string;
} {
  const { sentence, fix, link } = causes[cause];
  if (permission === undefined) return { detail: sentence, fix, link };
  return {
    detail: `The app may not read this: it does not have the application permission ${permission} of Microsoft Graph.`,
    fix: `In the Entra admin center, open App registrations > your app > API permissions. Add the application permission ${permission} of Microsoft Graph, then choose “Grant admin consent”. It takes effect within minutes.`,
    link,
  };
}
