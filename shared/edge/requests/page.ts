import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { FieldFaults } from '../../kernel/field-faults.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 500;

/** Signs texts with a key that only the app has. */
export interface Signer {
  sign(text: string): string;
  /** Whether the signature is ours. Also accepts the key from before the last rotation. */
  isSigned(text: string, signature: string): boolean;
}

/** The query fields of every list, besides its own. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
  cursor: z.string().min(1).max(4096).optional(),
};

/**
 * Makes cursors that work only for their own list and customer. The content is signed together with `list`, so a cursor
 * cannot be forged or used for another list.
 */
export function createCursors(signer: Signer, list: string) {
  return {
    seal: (inner: string): string => {
      const text = Buffer.from(inner).toString('base64url');
      return `${text}.${signer.sign(`cursor\n${list}\n${text}`)}`;
    },
    /** Returns `undefined` if the cursor is not from this list. */
    open: (cursor: string): string | undefined => {
      const [text = '', signature = ''] = cursor.split('.', 2);
      const isOurs = signer.isSigned(`cursor\n${list}\n${text}`, signature);
      return isOurs ? Buffer.from(text, 'base64url').toString() : undefined;
    },
  };
}

/** The JSON of one page. `nextCursor` is absent on the last page. */
export function presentPage<T>(
  page: Page<T>,
  present: (item: T) => unknown,
  seal: (inner: string) => string,
): HttpResponseInit {
  return {
    jsonBody: {
      items: page.items.map(present),
      ...(page.cursor !== undefined && { nextCursor: seal(page.cursor) }),
    },
  };
}

export function toPageRequest(
  read: { limit?: number; cursor?: string | undefined } | undefined,
  open: (cursor: string) => string | undefined,
  faults: FieldFaults,
): PageRequest {
  const limit = read?.limit ?? LIMIT_DEFAULT;
  if (read?.cursor === undefined) return { limit };
  const cursor = open(read.cursor);
  if (cursor !== undefined) return { limit, cursor };
  faults.add('cursor', 'must be the nextCursor of this list, with the same filters');
  return { limit };
}
