import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import type { Actor } from '../kernel/actor.ts';
import { createCursors, pageQuery, type Sign, toPageRequest } from './page.ts';
import { validateAll } from './validate.ts';

const nothing = z.strictObject({});

/**
 * Reads the query, and `limit` and `cursor` of a list. Refuses unknown fields: a misspelled `dryRun` must not start an
 * import.
 *
 * @throws DomainError `validation_failed`
 */
export function readQuery(
  deps: { sign: Sign },
  route: { query?: z.ZodType<unknown>; list?: boolean },
  request: HttpRequest,
  actor: Actor,
) {
  const url = new URL(request.url);
  const { limit, cursor, ...rest } = Object.fromEntries(request.query);
  const paging = { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) };
  const pageSchema = route.list ? z.strictObject(pageQuery) : nothing;
  const [query, read] = validateAll([
    [route.query ?? nothing, rest],
    [pageSchema, paging],
  ]);
  const filters = new URLSearchParams(rest);
  filters.sort();
  const list = `${actor.customerId ?? actor.role}\n${url.pathname}\n${filters}`;
  const { seal, open } = createCursors(deps.sign, list);
  const page = route.list ? toPageRequest(read as { limit: number; cursor?: string }, open) : { limit: 0 };
  return { url, query, page, seal };
}
