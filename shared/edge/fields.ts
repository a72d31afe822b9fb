import { z } from 'zod';

/** A name that people read: trimmed, on one line, of at most so many characters. */
export function nameField(maxLength: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters');
}

/** An instant, RFC 3339 with any offset. */
export const instantField = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
