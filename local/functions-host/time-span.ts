import { HostError } from './host-error.ts';

const spanPattern = /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,7})?)?$/;

export function isTimeSpan(text: string): boolean {
  return spanPattern.test(text);
}

/** Converts a .NET time span, `[d.]hh:mm[:ss[.fffffff]]`, to milliseconds. */
export function parseTimeSpan(text: string, what: string): number {
  const match = spanPattern.exec(text);
  if (!match) throw new HostError(`${what}: "${text}" is not a time span such as 00:00:30`);
  const [, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match;
  return (
    (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 +
    Math.round(Number(`0${fraction.replace(/^0$/, '')}`) * 1000)
  );
}
