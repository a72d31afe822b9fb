import { type Attributes, metrics as meters } from '@opentelemetry/api';
import { metrics } from '../../kernel/signals.ts';

type Measure = (fields: Record<string, unknown>) => void;

/** By the signal that they are a number of. */
const measures = new Map<string, Measure[]>();
for (const [name, { signal, field, kind, by }] of Object.entries(metrics)) {
  measures.set(signal, [...(measures.get(signal) ?? []), createMeasure(name, field, kind, by)]);
}

/** Records the custom metrics of a log line. Does nothing for other lines, and next to nothing without telemetry. */
export function measure(event: string, fields: Record<string, unknown>): void {
  for (const record of measures.get(event) ?? []) record(fields);
}

/** The instrument is made with its first value: telemetry has begun by then, if it is set up. */
function createMeasure(name: string, field: string, kind: 'gauge' | 'counter', by: readonly string[]): Measure {
  let write: ((value: number, attributes: Attributes) => void) | undefined;
  return (fields) => {
    const value = fields[field];
    if (typeof value !== 'number') return;
    if (!write) {
      const meter = meters.getMeter('muster');
      const instrument = kind === 'gauge' ? meter.createGauge(name) : meter.createCounter(name);
      write = 'record' in instrument ? instrument.record.bind(instrument) : instrument.add.bind(instrument);
    }
    write(
      value,
      Object.fromEntries(by.flatMap((one) => (fields[one] === undefined ? [] : [[one, String(fields[one])]]))),
    );
  };
}
