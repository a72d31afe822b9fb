/**
 * The parameters of a route such as `v1/imports/{importId}`, read from the path of the request. `undefined` if the path
 * does not have the shape of the route: the host reads some unusual paths in another way.
 *
 * Decodes as the host does: everything except an encoded slash, and nothing of a segment that is not valid UTF-8.
 */
export function pathParams(route: string, pathname: string): Record<string, string> | undefined {
  const wanted = route.split('/');
  const segments = pathname.replace(/^\//, '').replace(/\/$/, '').split('/');
  if (segments.length !== wanted.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const segment = segments[at] ?? '';
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) {
      if (decodeSegment(segment).toLowerCase() !== part.toLowerCase()) return undefined;
      continue;
    }
    if (segment === '') return undefined;
    params[name] = decodeSegment(segment);
  }
  return params;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment.replace(/%2f/gi, (slash) => `%25${slash.slice(1)}`));
  } catch {
    return segment;
  }
}
