import { describe, expect, it } from 'vitest';
import { futureInstantField, instantField } from '../../../../shared/edge/requests/fields.ts';

describe('an instant', () => {
  it.each(['1970-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '2026-06-01T00:00:00+14:00'])('may be %s', (text) => {
    expect(instantField.parse(text)).toEqual(new Date(text));
  });

  it.each(['9999-12-31T23:59:59-14:00', '0000-01-01T00:00:00+14:00', '1969-12-31T23:59:59Z'])(
    'must have a year of four digits, which %s has not',
    (text) => {
      expect(instantField.safeParse(text).error?.issues).toMatchObject([
        { message: 'must be in the years 1970 to 9999' },
      ]);
      const future = futureInstantField({ now: () => new Date() });
      expect(future.safeParse(text).error?.issues).toHaveLength(1);
    },
  );
});
