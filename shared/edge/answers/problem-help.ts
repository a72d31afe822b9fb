import type { DomainErrorOptions, ErrorCode } from '../../kernel/errors.ts';

export interface ProblemHelp {
  /** When the API answers with this code. */
  meaning: string;
  /** What the developer who reads this can do. */
  fix: string;
  /** What an answer of this kind carries beside the usual members. */
  example?: Pick<DomainErrorOptions, 'fields' | 'members'>;
}

const WAIT = 'Wait for the number of seconds in `Retry-After`, then send the same request again.';
const SAFE_TO_REPEAT = 'A POST with an `Idempotency-Key` can be repeated safely.';

/** What every error code means and what to do about it. The page of each problem shows it. */
export const problemHelp: Record<ErrorCode, ProblemHelp> = {
  validation_failed: {
    meaning: 'At least one field, query parameter or header is missing, invalid or unknown.',
    fix: 'Read `errors`. It names the path of each wrong field and says what is wrong with it. Correct all of them and send the request again.',
    example: { fields: [{ path: 'mailboxSlots', message: 'must be a whole number of at least 0' }] },
  },
  malformed_request: {
    meaning: 'The body is missing, is not valid UTF-8 or JSON, or did not arrive completely.',
    fix: 'Send a complete JSON document in UTF-8. Check that your HTTP client does not change the body.',
  },
  file_empty: {
    meaning: 'The uploaded file contains no mailboxes.',
    fix: 'Add a header, such as `email_address,display_name,daily_limit`, and one line for each mailbox.',
  },
  file_not_text: {
    meaning:
      'The uploaded file is neither an Excel workbook (.xlsx) nor a text file in an encoding that Muster can read.',
    fix: 'Save the file as CSV in UTF-8 and upload it again. In a spreadsheet program, export the sheet instead of renaming the file.',
  },
  file_malformed: {
    meaning:
      'The uploaded file is not valid CSV, or a damaged Excel workbook. For example, a quoted value is not closed, or the separator is not supported.',
    fix: 'Read `detail`. If the problem has a `line`, correct the file there. Separate values with commas, semicolons or tabs.',
    example: { members: { line: 12 } },
  },
  file_no_address_column: {
    meaning:
      'The first line of the uploaded file does not name a column that contains addresses, and is not one address either.',
    fix: 'Add a first line with column names. Name the column with the addresses `email_address`. A file that has only addresses, one on each line, needs no header.',
  },
  customer_required: {
    meaning: 'The route acts for one customer. The request uses an operator key, which belongs to no customer.',
    fix: 'Name the customer in the header `Muster-Customer`, or use an API key of the customer.',
  },
  unauthenticated: {
    meaning: 'The request has no API key, or the key is unknown, expired or revoked.',
    fix: 'Send a valid key in the header `Authorization: Bearer <key>`. If the key has expired or was revoked, create a new one.',
  },
  forbidden: {
    meaning: 'The API key is valid, but its role does not allow this request.',
    fix: 'Use a key with a higher role. Viewers read, members import and manage mailboxes, and owners do everything for their customer.',
  },
  not_found: {
    meaning: 'The resource does not exist, was deleted, or belongs to another customer. The address may also be wrong.',
    fix: 'Check the path and the ID. Check that the API key belongs to the customer that owns the resource.',
  },
  gone: {
    meaning:
      'What the request asks for existed, but it has been deleted because the time for which it is kept is over.',
    fix: 'Nothing can bring it back. If you need its content again, start a new import.',
  },
  method_not_allowed: {
    meaning: 'The address exists, but not for this HTTP method.',
    fix: 'Use one of the methods in the `Allow` header.',
  },
  conflict: {
    meaning: 'The request would create a second resource where only one is allowed.',
    fix: 'Use the resource that already exists, or change the values that must be unique.',
  },
  connection_not_ready: {
    meaning: 'The connection cannot run imports, because its last test did not pass or it has not been tested yet.',
    fix: 'Read `finding` of the connection and fix the problem. Then run the connection test again.',
  },
  slot_limit_reached: {
    meaning: 'The import needs more mailbox slots than the plan has free.',
    fix: 'Disconnect mailboxes that you no longer need, ask for more slots, or upload fewer rows.',
    example: { members: { needed: 120, free: 80 } },
  },
  quota_reached: {
    meaning: 'The customer already has as many of these resources as its quota allows.',
    fix: 'Delete what you no longer need, wait for running imports to end, or ask for a higher quota.',
    example: { members: { limit: 25 } },
  },
  wrong_state: {
    meaning:
      'The resource is in a state that does not allow this action. For example, a completed import cannot pause.',
    fix: 'Read the resource and its `status`. Send the request only if the status allows it.',
  },
  nothing_to_retry: {
    meaning: 'No row of the import failed or was inconclusive, or none of them has one of the `causes` in the request.',
    fix: 'Read `counts` of the import. Leave out `causes` to retry every failed and inconclusive row.',
  },
  directory_unavailable: {
    meaning:
      'The request needs the directory of the tenant, which was not read yet, or which the app may not read. If a permission is missing, `permission` names the least one.',
    fix: 'Read `detail`. Grant the permission that it names, or read the directory with POST /v1/connections/{id}/directory/refresh and wait until its list has `reading: false`.',
    example: { members: { cause: 'permission_missing', permission: 'User.Read.All' } },
  },
  nothing_selected: {
    meaning:
      'What the request selects is empty: the connection has no mailbox that `where` describes, or every mailbox that an import would take from the directory or a group is connected or not eligible.',
    fix: 'List the mailboxes of the connection, and compare `status` and the causes in `checks` with `where`. For an import, look at `connected` and `reason` in GET /v1/connections/{id}/directory, and refresh it if the tenant has changed.',
  },
  selection_incomplete: {
    meaning:
      'The request looks for mailboxes that are not connected, in a tenant or a group that is so large that it had to stop. It has found none so far, and has not seen all of them.',
    fix: 'Repeat the request with `nextCursor` of this answer as its `cursor`: it goes on from there. Without a cursor, it begins again.',
    example: { members: { nextCursor: 'eyJvZiI6ImRpcmVjdG9yeSJ9.c2ln' } },
  },
  upload_in_progress: {
    meaning:
      'Another file is being uploaded to the same connection. Only one upload of a connection can run at a time, dry runs included.',
    fix: 'Wait until the other upload ends, then send the same request again. Upload to several connections at the same time, or put all mailboxes into one file.',
  },
  upload_used: {
    meaning: 'An import has already been started from this `uploadId`. Each upload starts one import.',
    fix: 'Read the import that `importId` names. To import the file again, send it again.',
    example: { members: { importId: 'imp_01k2m8qj4vabcdefghjkmnp' } },
  },
  idempotency_in_progress: {
    meaning: 'The first request with this `Idempotency-Key` is still running.',
    fix: `${WAIT} You then get the answer to the first request.`,
  },
  precondition_failed: {
    meaning: 'The resource has changed since you read it, so its `ETag` no longer matches `If-Match`.',
    fix: 'Read the resource again. If your change still applies, repeat it with the new `ETag`.',
  },
  payload_too_large: {
    meaning: 'The body, the file, or one record in the file is larger than the limit.',
    fix: 'Send less in one request. Split a large file into several files and import each of them.',
    example: { members: { maxBytes: 104_857_600 } },
  },
  unsupported_media_type: {
    meaning: 'The route does not accept the `Content-Type` of the request.',
    fix: 'Send JSON as `application/json`. The page of the API reference lists the media types that uploads may have.',
  },
  credentials_rejected: {
    meaning: 'Microsoft refused the credentials in the request. Nothing was changed.',
    fix: 'Read `cause` and `fix`. Correct the tenant, the client ID or the client secret, then send the request again.',
    example: { members: { cause: 'secret_wrong', microsoftCode: 'AADSTS7000215' } },
  },
  idempotency_key_reused: {
    meaning: 'The `Idempotency-Key` was already used for a request with a different body or query.',
    fix: 'Use a new key for each new request. Use the same key only to repeat the same request.',
  },
  rate_limited: {
    meaning: 'The API key, the customer or the address of the caller has sent too many requests.',
    fix: `${WAIT} The headers \`RateLimit\` and \`RateLimit-Policy\` tell how many requests are left.`,
  },
  microsoft_throttled: {
    meaning: 'Microsoft limits how fast Muster may send requests for this tenant.',
    fix: `${WAIT} ${SAFE_TO_REPEAT}`,
  },
  microsoft_unavailable: {
    meaning: 'Microsoft did not answer, or answered with an error on its side.',
    fix: `${WAIT} ${SAFE_TO_REPEAT}`,
  },
  storage_unavailable: {
    meaning: 'Our storage did not answer in time.',
    fix: `${WAIT} ${SAFE_TO_REPEAT} If the problem lasts, give our support the \`requestId\`.`,
  },
  vault_unavailable: {
    meaning: 'Our key vault did not answer in time, so Muster cannot use the credentials of the connection.',
    fix: `${WAIT} ${SAFE_TO_REPEAT} If the problem lasts, give our support the \`requestId\`.`,
  },
};
