import { HostError } from './host-error.ts';

type Check = (value: string) => boolean;

const whole = /^[+-]?\d+$/;
const guid = /^(?:[0-9a-f]{32}|\{[0-9a-f-]{36}\}|\([0-9a-f-]{36}\)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

function between(low: bigint, high: bigint): Check {
  return (value) => whole.test(value) && BigInt(value) >= low && BigInt(value) <= high;
}

const int64 = between(-(2n ** 63n), 2n ** 63n - 1n);

const plain: Record<string, Check> = {
  int: between(-(2n ** 31n), 2n ** 31n - 1n),
  long: int64,
  bool: (value) => /^(?:true|false)$/i.test(value),
  guid: (value) => guid.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  decimal: (value) => /^[+-]?[\d,]*\.?\d+$/.test(value),
  double: (value) => value.trim() !== '' && Number.isFinite(Number(value)),
  float: (value) => value.trim() !== '' && Number.isFinite(Number(value)),
  datetime: (value) => !whole.test(value) && !Number.isNaN(Date.parse(value)),
  required: (value) => value !== '',
};

const withArguments: Record<string, (args: string) => Check> = {
  length: (args) => {
    const [min, max = min] = numbers(args);
    return (value) => value.length >= Number(min) && value.length <= Number(max);
  },
  minlength: (args) => (value) => value.length >= Number(args),
  maxlength: (args) => (value) => value.length <= Number(args),
  min: (args) => (value) => int64(value) && BigInt(value) >= BigInt(args),
  max: (args) => (value) => int64(value) && BigInt(value) <= BigInt(args),
  range: (args) => {
    const [low = '0', high = '0'] = numbers(args);
    return (value) => int64(value) && BigInt(value) >= BigInt(low) && BigInt(value) <= BigInt(high);
  },
  regex: (args) => {
    const pattern = new RegExp(args, 'i');
    return (value) => pattern.test(value);
  },
};

function numbers(args: string): string[] {
  return args.split(',').map((part) => part.trim());
}

/** Compiles an inline route constraint of ASP.NET Core, such as `int` or `length(1,20)`. */
export function compileConstraint(text: string): Check {
  const [, name = text, args] = /^(\w+)(?:\((.*)\))?$/s.exec(text) ?? [];
  const check = args === undefined ? plain[name.toLowerCase()] : withArguments[name.toLowerCase()]?.(args);
  if (!check) throw new HostError(`the route constraint "${text}" is unknown`);
  return check;
}
