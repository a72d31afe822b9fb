import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import type { Actor } from '../../kernel/actor.ts';
import type { FieldFaults } from '../../kernel/field-faults.ts';
import { createCursors, pageQuery, type Signer, toPageRequest } from './page.ts';

const nothing = z.strictObject({});
const continuation = z.strictObject({ cursor: pageQuery.cursor });

/**
 * Reads the query, and `limit` and `cursor` of a list. Refuses unknown fields: a misspelled `dryRun` must not start an
 * import. What is wrong is added to `faults`; then the result must not be used.
 */
export function readQuery(
  deps: Signer,
  route: { query?: z.ZodType<unknown>; list?: boolean; continues?: boolean },
  request: HttpRequest,
  actor: Actor,
  faults: FieldFaults,
) {
  const url = new URL(request.url);
  const { limit, cursor, ...rest } = Object.fromEntries(request.query);
  const paging = { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) };
  const pageSchema = route.list ? z.strictObject(pageQuery) : route.continues ? continuation : nothing;
  const query = faults.read<unknown>(route.query ?? nothing, rest);
  const read = faults.read(pageSchema, paging);
  const filters = new URLSearchParams(rest);
  filters.sort();
  // A list and the request that adds to it have the same path.
  const path = request.method === 'GET' ? url.pathname : `${request.method} ${url.pathname}`;
  const list = `${actor.customerId ?? actor.role}\n${path}\n${filters}`;
  const { seal, open } = createCursors(deps, list);
  const page = toPageRequest(read, open, faults);
  return { url, query, page, seal };
}
