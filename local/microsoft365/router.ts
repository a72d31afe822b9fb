interface Route<H> {
  method: string;
  literals: (string | undefined)[];
  names: (string | undefined)[];
  pattern: string;
  handler: H;
}

export type Match<H> =
  | { kind: 'found'; handler: H; pattern: string; params: Record<string, string> }
  | { kind: 'otherMethod'; allowed: string[]; pattern: string }
  | { kind: 'none'; unknownSegment: string };

/** Finds the handler for a path such as `/users/{user}/messages`. Literal segments ignore case, as in OData. */
export class Router<H> {
  readonly #bySize = new Map<number, Route<H>[]>();

  add(method: string, pattern: string, handler: H): this {
    const segments = pattern.split('/').filter(Boolean);
    const names = segments.map((segment) => /^\{(\w+)\}$/.exec(segment)?.[1]);
    const literals = segments.map((segment, index) => (names[index] ? undefined : segment.toLowerCase()));
    const sameSize = this.#bySize.get(segments.length) ?? [];
    sameSize.push({ method, literals, names, pattern, handler });
    this.#bySize.set(segments.length, sameSize);
    return this;
  }

  match(method: string, segments: readonly string[]): Match<H> {
    const allowed: string[] = [];
    let pattern = '';
    for (const route of this.#bySize.get(segments.length) ?? []) {
      if (!fits(route, segments)) continue;
      if (route.method !== method) {
        allowed.push(route.method);
        pattern = route.pattern;
        continue;
      }
      const params: Record<string, string> = {};
      for (const [index, name] of route.names.entries()) if (name) params[name] = segments[index] ?? '';
      return { kind: 'found', handler: route.handler, pattern: route.pattern, params };
    }
    if (allowed.length > 0) return { kind: 'otherMethod', allowed, pattern };
    return { kind: 'none', unknownSegment: segments.at(-1) ?? '' };
  }
}

function fits<H>(route: Route<H>, segments: readonly string[]): boolean {
  for (let index = 0; index < segments.length; index += 1) {
    const literal = route.literals[index];
    if (literal !== undefined && literal !== segments[index]?.toLowerCase()) return false;
  }
  return true;
}

/**
 * Splits an OData path into decoded segments. `users('a@b')` gives `users` and `a@b`; `servicePrincipals(appId='x')`
 * gives `servicePrincipals` and `appId=x`.
 */
export function pathSegments(path: string): string[] {
  const segments: string[] = [];
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    const segment = decoded(raw);
    const keyed = /^([A-Za-z.]+)\((.+)\)$/.exec(segment);
    if (keyed?.[1] && keyed[2]) segments.push(keyed[1], keyed[2].replaceAll("'", ''));
    else segments.push(segment);
  }
  return segments;
}

function decoded(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}
