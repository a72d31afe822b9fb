/** Reads a property of an item by its OData path. The value can be a collection. */
export type ReadProperty<T> = (item: T, path: string) => unknown;

export type Predicate<T> = (item: T) => boolean;

interface Equality {
  path: string;
  value: string;
}

export interface Filter<T> {
  matches: Predicate<T>;
  /** Set if the whole filter is a single `path eq 'value'`, also inside `any`. An index can then answer it. */
  equality: Equality | undefined;
  /** Set if the whole filter is one or several of these, joined by `or`. Indexes can then answer it. */
  alternatives: readonly Equality[] | undefined;
  /** Every property that the filter reads. */
  paths: ReadonlySet<string>;
}

const token = /\s+|'(?:[^']|'')*'|\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?|[A-Za-z_@$][\w./@$-]*|-?\d+(?:\.\d+)?|[(),:]/gy;

/** Parses a `$filter`. Returns `undefined` if it cannot. */
export function parseFilter<T>(text: string, read: ReadProperty<T>): Filter<T> | undefined {
  const found = text.match(token) ?? [];
  // Text that is not a token must not be skipped.
  if (found.join('').length < text.length) return undefined;
  return new FilterParser<T>(
    found.filter((one) => one.trim() !== ''),
    read,
  ).parse();
}

/** A property by its path: `from/emailAddress/address`. */
export function readPath(item: Record<string, unknown>, path: string): unknown {
  return path
    .split('/')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      item,
    );
}

class FilterParser<T> {
  readonly #tokens: string[];
  readonly #read: ReadProperty<T>;
  readonly #equalities: Equality[] = [];
  readonly #paths = new Set<string>();
  #position = 0;
  #comparisons = 0;
  #hasAnd = false;

  constructor(tokens: string[], read: ReadProperty<T>) {
    this.#tokens = tokens;
    this.#read = read;
  }

  parse(): Filter<T> | undefined {
    try {
      const matches = this.#or();
      if (this.#position !== this.#tokens.length) return undefined;
      const only = this.#comparisons === 1 ? this.#equalities[0] : undefined;
      const isAlternatives = this.#comparisons === this.#equalities.length && !this.#hasAnd;
      return {
        matches,
        equality: only,
        alternatives: isAlternatives ? this.#equalities : undefined,
        paths: this.#paths,
      };
    } catch {
      return undefined;
    }
  }

  #or(): Predicate<T> {
    let left = this.#and();
    while (this.#take('or')) {
      const before = left;
      const right = this.#and();
      left = (item) => before(item) || right(item);
    }
    return left;
  }

  #and(): Predicate<T> {
    let left = this.#unary();
    while (this.#take('and')) {
      this.#hasAnd = true;
      const before = left;
      const right = this.#unary();
      left = (item) => before(item) && right(item);
    }
    return left;
  }

  #unary(): Predicate<T> {
    if (this.#take('not')) {
      this.#comparisons += 1;
      const inner = this.#unary();
      return (item) => !inner(item);
    }
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const name = this.#next();
    if (/^(startswith|endswith|contains)$/i.test(name)) return this.#textFunction(name.toLowerCase());
    if (name.endsWith('/any')) return this.#any(name.slice(0, -'/any'.length));
    return this.#comparison(name);
  }

  #textFunction(name: string): Predicate<T> {
    this.#comparisons += 1;
    this.#expect('(');
    const path = this.#next();
    this.#paths.add(path);
    this.#expect(',');
    const wanted = String(literal(this.#next())).toLowerCase();
    this.#expect(')');
    return (item) => {
      const value = this.#read(item, path);
      if (typeof value !== 'string') return false;
      const lower = value.toLowerCase();
      if (name === 'startswith') return lower.startsWith(wanted);
      return name === 'endswith' ? lower.endsWith(wanted) : lower.includes(wanted);
    };
  }

  /** `proxyAddresses/any(p:p eq 'smtp:a@b')`. */
  #any(path: string): Predicate<T> {
    this.#expect('(');
    const variable = this.#next();
    this.#expect(':');
    const inner = new FilterParser<unknown>(this.#tokens, (element, name) => (name === variable ? element : undefined));
    inner.#position = this.#position;
    const matches = inner.#or();
    this.#position = inner.#position;
    this.#expect(')');
    this.#comparisons += inner.#comparisons;
    this.#hasAnd ||= inner.#hasAnd;
    this.#paths.add(path);
    for (const { value } of inner.#equalities) this.#equalities.push({ path, value });
    return (item) => {
      const elements = this.#read(item, path);
      return Array.isArray(elements) && elements.some((element) => matches(element));
    };
  }

  #comparison(path: string): Predicate<T> {
    this.#comparisons += 1;
    this.#paths.add(path);
    const operator = this.#next().toLowerCase();
    if (operator === 'in') return this.#oneOf(path);
    if (!['eq', 'ne', 'ge', 'le', 'gt', 'lt'].includes(operator)) throw new SyntaxError(operator);
    const wanted = literal(this.#next());
    if (operator === 'eq' && typeof wanted === 'string') this.#equalities.push({ path, value: wanted });
    return (item) => compare(this.#read(item, path), operator, wanted);
  }

  /** `mail in ('a@b', 'c@d')`. */
  #oneOf(path: string): Predicate<T> {
    const wanted: Literal[] = [];
    this.#expect('(');
    do wanted.push(literal(this.#next()));
    while (this.#take(','));
    this.#expect(')');
    return (item) => wanted.some((one) => compare(this.#read(item, path), 'eq', one));
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#position]?.toLowerCase() !== token) return false;
    this.#position += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new SyntaxError(`${token} expected`);
  }

  #next(): string {
    const token = this.#tokens[this.#position];
    if (token === undefined) throw new SyntaxError('unexpected end');
    this.#position += 1;
    return token;
  }
}

type Literal = string | number | boolean | null;

function literal(token: string): Literal {
  if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
  if (token === 'null') return null;
  if (token === 'true' || token === 'false') return token === 'true';
  if (/^\d{4}-\d\d-\d\d/.test(token)) return token;
  const number = Number(token);
  if (Number.isNaN(number)) throw new SyntaxError(`${token} is not a literal`);
  return number;
}

function compare(value: unknown, operator: string, wanted: Literal): boolean {
  const left = typeof value === 'string' ? value.toLowerCase() : (value ?? null);
  const right = typeof wanted === 'string' ? wanted.toLowerCase() : wanted;
  if (operator === 'eq') return left === right;
  if (operator === 'ne') return left !== right;
  if (left === null || right === null || typeof left !== typeof right) return false;
  const [a, b] = [left as string | number, right as string | number];
  if (operator === 'ge') return a >= b;
  if (operator === 'le') return a <= b;
  return operator === 'gt' ? a > b : a < b;
}
