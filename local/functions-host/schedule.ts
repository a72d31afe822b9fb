import { CronExpressionParser } from 'cron-parser';
import { HostError } from './host-error.ts';
import { isTimeSpan, parseTimeSpan } from './time-span.ts';

/** The next time after this one at which a timer is due. */
export type NextOccurrence = (after: Date) => Date;

/** Reads an NCRONTAB expression in UTC, with six fields (seconds first) or five, or a time span between two runs. */
export function parseSchedule(text: string, functionName: string): NextOccurrence {
  if (isTimeSpan(text)) {
    const everyMs = parseTimeSpan(text, functionName);
    if (everyMs <= 0) throw new HostError(`${functionName}: the schedule "${text}" must be longer than zero`);
    return (after) => new Date(after.getTime() + everyMs);
  }
  const fields = text.trim().split(/\s+/);
  const expression = fields.length === 5 ? `0 ${fields.join(' ')}` : fields.join(' ');
  const parse = (after: Date) => CronExpressionParser.parse(expression, { currentDate: after, tz: 'UTC' });
  try {
    if (fields.length !== 5 && fields.length !== 6) throw new Error(`${fields.length} fields instead of 6`);
    parse(new Date(0));
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new HostError(`${functionName}: the schedule "${text}" is neither NCRONTAB nor a time span: ${why}`);
  }
  return (after) => {
    const cron = parse(after);
    const { dayOfMonth, dayOfWeek } = cron.fields;
    // If both the day of the month and the day of the week are restricted, both must match in NCRONTAB. cron-parser
    // accepts either, like Unix cron. Its days are a superset, so the others are skipped.
    for (;;) {
      const next = cron.next().toDate();
      if (dayOfMonth.isWildcard || dayOfWeek.isWildcard) return next;
      const lastDay = new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 0)).getUTCDate();
      const days: readonly (string | number)[] = dayOfMonth.values;
      const onDay = days.includes(next.getUTCDate()) || (days.includes('L') && next.getUTCDate() === lastDay);
      const weekdays: readonly (string | number)[] = dayOfWeek.values;
      if (onDay && weekdays.includes(next.getUTCDay())) return next;
    }
  };
}
