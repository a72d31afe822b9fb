import { timingSafeEqual } from 'node:crypto';
import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import { DomainError } from '../kernel/errors.ts';
import type { Page, PageRequest } from '../kernel/page.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 500;

/** Signs a text with a key that only the app has. */
export type Sign = (text: string) => string;

/** The query fields of every list, besides its own. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
  cursor: z.string().min(1).max(4096).optional(),
};

/**
 * Makes cursors that work only for their own list and customer. The content is signed together with `list`, so a cursor
 * cannot be forged or used for another list.
 */
export function createCursors(sign: Sign, list: string) {
  return {
    seal: (inner: string): string => {
      const text = Buffer.from(inner).toString('base64url');
      return `${text}.${sign(`cursor\n${list}\n${text}`)}`;
    },
    /** @throws DomainError `validation_failed` if the cursor is not from this list */
    open: (cursor: string): string => {
      const [text = '', signature = ''] = cursor.split('.');
      if (!isSame(signature, sign(`cursor\n${list}\n${text}`))) {
        throw new DomainError('validation_failed', 'The cursor is not from this list.', {
          fields: [{ path: 'cursor', message: 'must be a nextCursor of this list with the same filters' }],
        });
      }
      return Buffer.from(text, 'base64url').toString();
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
  read: { limit: number; cursor?: string | undefined },
  open: (cursor: string) => string,
): PageRequest {
  return { limit: read.limit, ...(read.cursor !== undefined && { cursor: open(read.cursor) }) };
}

function isSame(presented: string, expected: string): boolean {
  const [one, other] = [Buffer.from(presented), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
