import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createFieldFaults } from '../../../shared/kernel/field-faults.ts';

/** What a customer reads about a value. */
function messagesFor(schema: z.ZodType, value: unknown): string[] {
  const faults = createFieldFaults();
  faults.read(schema, value, 'field');
  try {
    faults.refuse();
  } catch (error) {
    return (error as { fields: { message: string }[] }).fields.map(({ message }) => message);
  }
  return [];
}

const name = z.string().meta({ examples: ['Contoso'] });

describe('every kind of fault is told in words of ours', () => {
  it.each([
    [name, undefined, 'is required'],
    [z.enum(['a', 'b']), undefined, 'is required'],
    [name, 1, 'must be a string, such as "Contoso"'],
    [name.trim().min(1).optional(), 1, 'must be a string, such as "Contoso"'],
    [name.min(1), '', 'must not be empty'],
    [name.min(3), 'x', 'must be at least 3 characters'],
    [name.max(1), 'xx', 'must be at most 1 character'],
    [z.number(), '1', 'must be a number'],
    [z.coerce.number(), 'x', 'must be a number'],
    [z.int(), 1.5, 'must be a whole number'],
    [z.number().positive(), 0, 'must be more than 0'],
    [z.number().lt(5), 5, 'must be less than 5'],
    [z.number().multipleOf(5), 1, 'must be a multiple of 5'],
    [z.boolean(), 'yes', 'must be true or false'],
    [z.stringbool(), 'x', 'must be true or false'],
    [z.literal(true), false, 'must be true'],
    [z.enum(['a', 'b']), 'c', 'must be one of: a, b'],
    [z.array(name), {}, 'must be an array'],
    [z.array(name).min(1), [], 'must have at least 1 item'],
    [z.array(name).max(2), ['a', 'b', 'c'], 'must have at most 2 items'],
    [z.strictObject({}), [], 'must be a JSON object'],
    [z.strictObject({}), { x: 1 }, 'is not a known field'],
    [z.iso.datetime({ offset: true }), 'soon', 'must be a date and time with offset, such as 2027-06-01T00:00:00Z'],
    [z.iso.duration(), 'soon', 'must be an ISO 8601 duration, such as PT90S'],
    [z.url(), 'x', 'must be a URL, such as https://muster.example'],
    [z.guid(), 'x', 'must be a GUID, such as 8f14e45f-ceea-467a-9b36-34f6c3bb1d2a'],
    [z.string().regex(/^x$/), 'y', 'must be in the expected format'],
    [z.string().regex(/^x$/, 'must be x'), 'y', 'must be x'],
    [z.union([z.string(), z.number()]), null, 'is not valid'],
  ])('%#: %3$s', (schema, value, message) => {
    expect(messagesFor(schema, value)).toEqual([message]);
  });
});

it('keeps the first 100 faults and counts the rest', () => {
  const faults = createFieldFaults();
  for (let i = 0; i < 1_000; i++) faults.add(`field${i}`, 'is wrong');
  expect(() => faults.refuse()).toThrow(expect.objectContaining({ fieldsOmitted: 900 }));
});

it('refuses nothing without a fault', () => {
  expect(() => createFieldFaults().refuse()).not.toThrow();
});
