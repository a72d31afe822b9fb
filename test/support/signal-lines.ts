import { type SignalName, signals } from '../../shared/kernel/signals.ts';

const isOfType = {
  text: (value: unknown) => typeof value === 'string',
  number: (value: unknown) => typeof value === 'number',
  flag: (value: unknown) => typeof value === 'boolean',
};

export function isSignal(name: unknown): name is SignalName {
  return typeof name === 'string' && Object.hasOwn(signals, name);
}

/** What is wrong with a log line, compared with the table of signals. Empty if it is as promised, or no signal. */
export function faultsOfLine(line: Record<string, unknown>): string[] {
  const { event } = line;
  if (!isSignal(event)) return [];
  const shape: { fields: object; bound?: object } = signals[event];
  return Object.entries({ ...shape.bound, ...shape.fields } as Record<string, string>).flatMap(([field, type]) => {
    const value = line[field];
    const isKnown = type.endsWith('?') ? value !== undefined && value !== null : true;
    const matches = isOfType[type.replace('?', '') as keyof typeof isOfType];
    return isKnown && !matches(value) ? [`${event}.${field} is ${JSON.stringify(value)}, not ${type}`] : [];
  });
}
