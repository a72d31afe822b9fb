/** A request of the bench. A body that is a text is sent unchanged, any other as JSON. */
export interface Call {
  body?: unknown;
  contentType?: string;
}

/** Sends one request, and never repeats it: the typed client would wait and try again, which hides how long it took. */
export async function send(
  apiUrl: string,
  key: string,
  method: string,
  path: string,
  { body, contentType }: Call = {},
) {
  const isText = typeof body === 'string';
  const type = contentType ?? (body === undefined || isText ? undefined : 'application/json');
  const response = await fetch(new URL(path, apiUrl), {
    method,
    headers: { authorization: `Bearer ${key}`, ...(type !== undefined && { 'content-type': type }) },
    ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}
