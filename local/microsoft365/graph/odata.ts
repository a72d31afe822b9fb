import type { GraphCall } from './graph-call.ts';
import { type Filter, parseFilter, readPath } from './odata-filter.ts';

export const metadataUrl = 'https://graph.microsoft.com/v1.0/$metadata';

type Item = Record<string, unknown>;

/** Keeps only the properties that `$select` names, plus those in `always`. */
export function applySelect(item: Item, query: URLSearchParams, always: readonly string[] = []): Item {
  const wanted = query.get('$select');
  if (!wanted) return item;
  const names = new Set([...wanted.split(',').map((name) => name.trim()), ...always]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
}

/** The query's `$filter`, if it has one. `invalid` is Graph's message for a filter that cannot be parsed. */
export function readFilter(query: URLSearchParams): { filter: Filter<Item> | undefined } | { invalid: string } {
  const text = query.get('$filter');
  if (text === null) return { filter: undefined };
  const filter = parseFilter(text, readPath);
  return filter ? { filter } : { invalid: `Invalid filter clause: '${text}'.` };
}

/** A whole number from the query, at most `max`; `fallback` if it is missing or invalid. */
export function readCount(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const given = Number(query.get(name) ?? fallback);
  return Number.isInteger(given) && given >= 0 ? Math.min(given, max) : fallback;
}

/** One page of a list by `$top` and `$skip`, and the link to the next page if there is one. */
export function pageBySkip<T>(
  items: readonly T[],
  baseUrl: string,
  call: GraphCall,
): { page: T[]; link: { '@odata.nextLink'?: string } } {
  const top = readCount(call.query, '$top', 10, 1000);
  const skip = readCount(call.query, '$skip', 0, Number.MAX_SAFE_INTEGER);
  const end = skip + top;
  const link = end < items.length ? { '@odata.nextLink': nextLink(baseUrl, call, '$skip', String(end)) } : {};
  return { page: items.slice(skip, end), link };
}

/** The URL of the next page: the same query with another `$skip` or `$skiptoken`. */
export function nextLink(baseUrl: string, call: GraphCall, name: '$skip' | '$skiptoken', value: string): string {
  const query = new URLSearchParams(call.query);
  query.set(name, value);
  return `${baseUrl}/v1.0${call.path}?${query.toString()}`;
}
