import { z } from 'zod';

/** A name for people to read: trimmed, one line, at most `maxLength` characters. */
export function nameField(maxLength: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters');
}

/** An instant in RFC 3339 with any offset, such as `2026-06-01T00:00:00Z`. */
export const instantField = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
