/** What all routes share, for the first screen of the API reference. In Markdown. */
export const API_OVERVIEW = `Connects a customer’s Microsoft 365 tenant and proves which mailboxes your product may write to and send from.

Send an API key with each request: \`Authorization: Bearer <key>\`. Operators also name the customer they act for, in \`Muster-Customer\`.

- **Errors** are problem documents (RFC 9457). \`code\` is for programs and \`detail\` for people. \`errors\` names every wrong field, and \`type\` links to a page that explains the error.
- **Lists** come in pages. Send the \`nextCursor\` of an answer as \`cursor\` to get the next page. The last page has none.
- **Repeating a POST is safe** with an \`Idempotency-Key\`: the same key and body get the first answer again.
- **Nobody’s change is lost** if you send \`If-Match\` with the \`ETag\` that you have read: after another change, the answer is 412. With \`If-None-Match\`, a resource that has not changed costs an empty answer (304).
- **Limits:** \`RateLimit\` says how many requests are left. After 429 or 503, wait for the seconds in \`Retry-After\`.
- **Times** are in UTC, as RFC 3339 writes them.`;
