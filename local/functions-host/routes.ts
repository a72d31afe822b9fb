import { compileConstraint } from './route-constraints.ts';

interface Segment {
  /** ASP.NET Core's order: literal, constrained parameter, parameter, constrained catch-all, catch-all. */
  rank: 1 | 2 | 3 | 4 | 5;
  literal?: string;
  name?: string;
  optional: boolean;
  checks: ((value: string) => boolean)[];
}

export interface Route<T> {
  methods: Set<string>;
  segments: Segment[];
  target: T;
}

export interface RouteMatch<T> {
  target: T;
  params: Record<string, string>;
}

/** Compiles a route template such as `v1/imports/{importId:guid}/rows/{*rest}`. An empty list of verbs means any verb. */
export function compileRoute<T>(template: string, methods: string[], target: T): Route<T> {
  const parts = template.split('/').filter((part) => part !== '');
  return { methods: new Set(methods.map((verb) => verb.toUpperCase())), segments: parts.map(compileSegment), target };
}

function compileSegment(part: string): Segment {
  const parameter = /^\{(\*{0,2})(\w+)((?::.*?)?)(\?)?\}$/.exec(part);
  if (!parameter) return { rank: 1, literal: part.toLowerCase(), optional: false, checks: [] };
  const [, stars = '', name = '', constraints = '', mark] = parameter;
  const checks = splitConstraints(constraints).map(compileConstraint);
  const isConstrained = checks.length > 0;
  const rank = stars === '' ? (isConstrained ? 2 : 3) : isConstrained ? 4 : 5;
  return { rank, name, optional: mark === '?' || stars !== '', checks };
}

/** Splits `:length(1,3):regex(^a:b$)` into two constraints. A colon inside brackets does not separate them. */
function splitConstraints(text: string): string[] {
  let depth = 0;
  const found: string[] = [];
  for (const letter of text) {
    if (letter === ':' && depth === 0) found.push('');
    else found.push((found.pop() ?? '') + letter);
    if (letter === '(') depth++;
    if (letter === ')') depth--;
  }
  return found;
}

/** Sorts routes like ASP.NET Core: the most specific first, compared segment by segment from the left. */
export function sortRoutes<T>(routes: Route<T>[]): Route<T>[] {
  return routes.toSorted((a, b) => {
    for (let at = 0; at < Math.max(a.segments.length, b.segments.length); at++) {
      const difference = (a.segments[at]?.rank ?? 0) - (b.segments[at]?.rank ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/**
 * The function for this request, or `undefined` if no route matches. The real host answers 404 both for an unknown path
 * and for an unsupported verb. The verb is part of the match, so a less specific route that has the verb is still found.
 */
export function matchRoute<T>(sorted: Route<T>[], method: string, path: string): RouteMatch<T> | undefined {
  const parts = path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decodeSegment);
  if (parts.length === 1 && parts[0] === '') parts.pop();
  for (const route of sorted) {
    if (route.methods.size > 0 && !route.methods.has(method)) continue;
    const params = matchSegments(route.segments, parts);
    if (params) return { target: route.target, params };
  }
  return undefined;
}

function matchSegments(segments: Segment[], parts: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [at, segment] of segments.entries()) {
    const isCatchAll = segment.rank >= 4;
    const value = isCatchAll ? parts.slice(at).join('/') : (parts[at] ?? '');
    if (segment.literal !== undefined) {
      if (value.toLowerCase() !== segment.literal) return undefined;
      continue;
    }
    if (value === '') {
      if (!segment.optional || at < parts.length) return undefined;
      continue;
    }
    if (!segment.checks.every((check) => check(value))) return undefined;
    params[segment.name ?? ''] = value;
    if (isCatchAll) return params;
  }
  return parts.length <= segments.length ? params : undefined;
}

/** The real host decodes a path before it matches it, except for `%2F`, which stays part of its segment. */
function decodeSegment(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part.replace(/%2f/gi, (kept) => `%25${kept.slice(1)}`));
  } catch {
    return part;
  }
}
