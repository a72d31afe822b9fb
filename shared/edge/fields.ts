import { z } from 'zod';

/**
 * A name for people to read: trimmed, one line, at most `maxLength` characters. Without bidirectional controls, which could
 * make it look like another name.
 */
export function nameField(maxLength: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .regex(
      /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u,
      'must not contain control characters or bidirectional controls',
    );
}

/** An instant in RFC 3339 with any offset, such as `2026-06-01T00:00:00Z`. */
export const instantField = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
