import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';

export interface SearchDeps {
  clock: Clock;
  /** Makes a cursor that only this customer can use, and only for this route. */
  sealCursor: (position: string) => string;
}

/** No further page is read after this time, so that the request ends before its client gives up. */
export const SEARCH_MAX_MS = 20_000;

interface Position {
  /** The group, or the directory. */
  of: string;
  link: string;
}

/**
 * How far one request looks for mailboxes that it can select. In a large tenant, nearly all of them may be connected.
 *
 * @param of what is searched
 * @param cursor where an earlier request has stopped
 * @throws DomainError `validation_failed` if the cursor is of another selection
 */
export function beginSearch({ clock, sealCursor }: SearchDeps, of: string, cursor: string | undefined) {
  const begunAt = clock.now().getTime();
  const position: Position | undefined = cursor === undefined ? undefined : JSON.parse(cursor);
  if (position && position.of !== of) throw badCursor('is the `nextCursor` of another selection');
  return {
    from: position?.link,
    isOver: () => clock.now().getTime() - begunAt >= SEARCH_MAX_MS,
    /** Nothing was found, and there is more to look at. */
    stoppedAt(link: string, detail: string): DomainError {
      const nextCursor = sealCursor(JSON.stringify({ of, link } satisfies Position));
      return new DomainError(
        'selection_incomplete',
        `${detail} There are more. To go on, repeat the request with \`nextCursor\` as its \`cursor\`.`,
        { members: { nextCursor } },
      );
    },
  };
}

export function badCursor(message: string): DomainError {
  return new DomainError('validation_failed', `\`cursor\` ${message}.`, { fields: [{ path: 'cursor', message }] });
}
