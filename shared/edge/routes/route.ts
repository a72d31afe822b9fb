import type { z } from 'zod';
import type { ErrorCode } from '../../kernel/errors.ts';

/** The groups that the reference page sorts routes into. */
export const tags = {
  Customers: 'Customers of the vendor, with the mailbox slots of their plan.',
  'API keys': 'Keys for this API.',
  Connections: 'Permissions to reach a Microsoft 365 tenant.',
  Imports: 'Uploads of mailboxes, and the verdict for each row.',
  Mailboxes: 'Mailboxes of a connection, with their latest findings.',
  Webhooks: 'Events that Muster sends to your own server, signed as Standard Webhooks.',
  'Audit log': 'Who has changed what.',
  Operations: 'Health, this document, and for operators: queues, poison messages, stalled imports and timers.',
} as const;
export type Tag = keyof typeof tags;

export interface ResponseDescription {
  description: string;
  /** Of the JSON body. Without it the answer has no body, or one of another `contentType`. */
  schema?: z.ZodType;
  contentType?: string;
  /** Further media types of the answer, as plain text. */
  alsoAs?: readonly string[];
  /** Of each line of a streamed body, where each line is JSON. With it, `contentType` is required. */
  lines?: z.ZodType;
  /** Headers beside those that every answer has, each with one sentence. */
  headers?: Readonly<Record<string, string>>;
}

/** What the OpenAPI document says about a route, beside its schemas. */
export interface RouteDescription {
  /** The function's name in Azure, and the `operationId`: `connections-create`. */
  name: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without a leading slash, as Azure Functions takes it: `v1/connections/{connectionId}`. */
  path: string;
  tag: Tag;
  /** One short sentence without a full stop. */
  summary: string;
  description?: string;
  /** The successful answers, by status. */
  responses: Readonly<Record<number, ResponseDescription>>;
  /** Refusals of this route alone. Those that follow from its shape (401, 403, 404, 400 …) are added by themselves. */
  refusals?: readonly ErrorCode[];
  /** Whether an operator may name one customer in `Muster-Customer`. Without it, the answer is about all of them. */
  mayNameCustomer?: boolean;
  /** Media types of a streamed body, with the schema of those that are JSON. */
  uploads?: Readonly<Record<string, { schema?: z.ZodType; description: string }>>;
}
