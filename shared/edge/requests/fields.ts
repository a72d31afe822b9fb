import { z } from 'zod';
import { parseAddress } from '../../kernel/address.ts';
import type { Clock } from '../../kernel/clock.ts';

/**
 * A name for people to read: trimmed, one line, at most `maxLength` characters. Without bidirectional controls, which
 * could make it look like another name.
 */
export function nameField(maxLength: number) {
  return z
    .string()
    .meta({ examples: ['Contoso'] })
    .trim()
    .min(1)
    .max(maxLength)
    .regex(
      /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u,
      'must not contain control characters or bidirectional controls',
    );
}

const EARLIEST = new Date(0);
const LATEST = new Date('9999-12-31T23:59:59.999Z');

/**
 * An instant in RFC 3339 with any offset, such as `2026-06-01T00:00:00Z`. An offset can move it out of the years that
 * have four digits. Those instants neither sort as text nor are they RFC 3339 in an answer.
 */
export const instantField = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine((instant) => instant >= EARLIEST && instant <= LATEST, {
    error: 'must be in the years 1970 to 9999',
    abort: true,
  });

/** The same, still to come. */
export function futureInstantField(clock: Clock) {
  return instantField.refine((instant) => instant > clock.now(), 'must be in the future');
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** The same, or a date without a time, such as `2027-05-01`. It means the first moment of that day in UTC: early is safe. */
export function futureInstantOrDateField(clock: Clock) {
  return z
    .string()
    .meta({ examples: ['2027-05-01', '2027-05-01T14:30:00Z'] })
    .transform((text) => (DATE.test(text) ? `${text}T00:00:00Z` : text))
    .pipe(
      z
        .string()
        .refine((text) => z.iso.datetime({ offset: true }).safeParse(text).success, {
          error: 'must be a date, such as 2027-05-01, or a date and time with offset, such as 2027-05-01T14:30:00Z',
          abort: true,
        })
        .pipe(futureInstantField(clock)),
    );
}

/** A mailbox address, normalized. */
export const addressField = z
  .string()
  .meta({ examples: ['jane@contoso.com'] })
  .transform((text, context) => {
    const parsed = parseAddress(text);
    if (parsed.ok) return parsed.address;
    context.addIssue({ code: 'custom', message: parsed.message });
    return z.NEVER;
  });
