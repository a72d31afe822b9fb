import { type Import, isEnded } from '../import.ts';

const NAME_MAX_LENGTH = 40;

/**
 * The name under which a browser saves a report: `contoso-2026-06-01-0830-failed.csv`, with the time at which the import
 * was started. If the import has not ended, the name says so.
 */
export function reportName(
  { createdAt, status }: Pick<Import, 'createdAt' | 'status'>,
  connectionName: string | undefined,
  kind: 'report' | 'failed',
  extension: 'csv' | 'jsonl',
): string {
  const time = createdAt.toISOString();
  const parts = [
    plainName(connectionName ?? ''),
    time.slice(0, 10),
    `${time.slice(11, 13)}${time.slice(14, 16)}`,
    kind,
    isEnded(status) ? '' : 'unfinished',
  ];
  return `${parts.filter((part) => part !== '').join('-')}.${extension}`;
}

/** `Bücher & Söhne` becomes `bucher-sohne`: what every file system and header takes. */
export function plainName(name: string): string {
  const letters = name
    .slice(0, 2 * NAME_MAX_LENGTH)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '');
  return letters
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .join('-')
    .slice(0, NAME_MAX_LENGTH);
}
