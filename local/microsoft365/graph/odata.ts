import type { GraphCall } from './answers.ts';

export const metadata = 'https://graph.microsoft.com/v1.0/$metadata';

/** The named properties alone, as `$select` asks; `always` are there in any case. */
export function selected(
  item: Record<string, unknown>,
  query: URLSearchParams,
  always: readonly string[] = [],
): Record<string, unknown> {
  const wanted = query.get('$select');
  if (!wanted) return item;
  const names = new Set([...wanted.split(',').map((name) => name.trim()), ...always]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
}

export function whole(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const given = Number(query.get(name) ?? fallback);
  return Number.isInteger(given) && given >= 0 ? Math.min(given, most) : fallback;
}

/** The address of the next page: the same query, with where to go on. */
export function nextLink(baseUrl: string, call: GraphCall, name: '$skip' | '$skiptoken', value: string): string {
  const query = new URLSearchParams(call.query);
  query.set(name, value);
  return `${baseUrl}/v1.0${call.path}?${query.toString()}`;
}
