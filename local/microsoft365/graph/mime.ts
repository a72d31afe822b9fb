/** Reads a base64 MIME message into Graph's properties. Everything below the headers becomes the body. */
export function readMime(base64: string): Record<string, unknown> | 'malformed' {
  const compact = base64.replace(/\s+/g, '');
  if (compact === '' || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return 'malformed';
  const text = Buffer.from(compact, 'base64').toString('utf8').replace(/\r\n/g, '\n');
  const end = text.indexOf('\n\n');
  const headers = headersOf(end < 0 ? text : text.slice(0, end));
  const from = addressesOf(headers.get('from'))[0];
  return {
    subject: headers.get('subject') ?? '',
    body: { contentType: 'text', content: end < 0 ? '' : text.slice(end + 2) },
    toRecipients: addressesOf(headers.get('to')),
    ccRecipients: addressesOf(headers.get('cc')),
    bccRecipients: addressesOf(headers.get('bcc')),
    ...(from ? { from } : {}),
  };
}

function headersOf(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

function addressesOf(list: string | undefined): { emailAddress: { address: string } }[] {
  return (list ?? '')
    .split(',')
    .map((one) => (/<([^>]*)>/.exec(one)?.[1] ?? one).trim())
    .filter((address) => address !== '')
    .map((address) => ({ emailAddress: { address } }));
}
