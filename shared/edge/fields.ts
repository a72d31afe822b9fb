import { z } from 'zod';
import { parseAddress } from '../kernel/address.ts';
import { Secret } from '../kernel/secret.ts';

/**
 * A name for people to read: trimmed, one line, at most `maxLength` characters. Without bidirectional controls, which
 * could make it look like another name.
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

/** A mailbox address, normalized. */
export const addressField = z.string().transform((text, context) => {
  const parsed = parseAddress(text);
  if (parsed.ok) return parsed.address;
  context.addIssue({ code: 'custom', message: parsed.message });
  return z.NEVER;
});

/** A client secret. The Value that the portal shows has 40 characters; the limit only keeps out what cannot be one. */
export const secretField = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .transform((value) => new Secret(value));
