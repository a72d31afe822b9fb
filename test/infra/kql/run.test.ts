import { describe, expect, test } from 'vitest';
import { runQuery } from './run.ts';

const now = new Date('2026-12-01T12:00:00Z');
const at = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const AppTraces = [
  { TimeGenerated: at(1), Message: '{"event":"seen","queue":"a","depth":3}' },
  { TimeGenerated: at(2), Message: '{"event":"seen","queue":"b","depth":5,"age":90}' },
  { TimeGenerated: at(7), Message: '{"event":"seen","queue":"a","depth":10}' },
  { TimeGenerated: at(9), Message: 'not JSON' },
];
const run = (query: string) =>
  runQuery(`AppTraces | extend line = parse_json(Message) | ${query}`, { tables: { AppTraces }, now });

describe('the evaluator of queries', () => {
  test.each([
    ['where Message startswith \'{"event":"seen"\' | count_', null],
    ['where TimeGenerated > ago(5m) | project d = toint(line.depth)', [{ d: 3 }, { d: 5 }]],
    [
      "where tostring(line.queue) == 'b' | project depth = tolong(line.depth), age = toint(line.age)",
      [{ depth: 5, age: 90 }],
    ],
    ['where toint(line.age) < 100 | project q = tostring(line.queue)', [{ q: 'b' }]],
    [
      'summarize total = sum(tolong(line.depth)), lines = count() by queue = tostring(line.queue) | order by queue asc',
      [
        { total: 0, lines: 1, queue: '' },
        { total: 13, lines: 2, queue: 'a' },
        { total: 5, lines: 1, queue: 'b' },
      ],
    ],
    [
      'extend queue = tostring(line.queue) | summarize arg_max(TimeGenerated, line) by queue | project queue, d = toint(line.depth) | top 1 by d desc',
      [{ queue: 'b', d: 5 }],
    ],
    [
      "where line.event == 'seen' | summarize m = max(toint(line.depth)) by bin(TimeGenerated, 5m) | project m | order by m asc",
      [{ m: 5 }, { m: 10 }],
    ],
    ["summarize n = countif(line.queue in ('a', 'c')), k = dcount(tostring(line.queue))", [{ n: 2, k: 3 }]],
    [
      "where line.event == 'other' | summarize n = count(), s = sum(toint(line.depth)), m = max(toint(line.depth))",
      [{ n: 0, s: 0, m: null }],
    ],
    [
      "take 1 | project share = round(100.0 * 1 / 3, 1), whole = 1 / 3, text = strcat(iff(1 > 2, 'x', 'y'), 1)",
      [{ share: 33.3, whole: 0, text: 'y1' }],
    ],
    ['project known = isnotempty(tostring(line.queue)) | distinct known', [{ known: true }, { known: false }]],
  ])('%s', (query, expected) => {
    if (expected === null) expect(() => run(query)).toThrow();
    else expect(run(query)).toEqual(expected);
  });

  test.each([
    ['a column that no table has', 'AppTraces | where Mesage == 1', /Mesage/],
    ['an operator that does not exist', 'AppTraces | summarise count()', /operator/],
    [
      'grouping by a value without a type',
      'AppTraces | extend l = parse_json(Message) | summarize n = count() by q = l.q',
      /dynamic/,
    ],
    ['a column without a name', 'AppTraces | summarize count()', /name/],
    ['what it does not know itself', 'AppTraces | project d = strlen(Message)', /unknown/],
  ])('refuses %s', (_, query, message) => {
    expect(() => runQuery(query, { tables: { AppTraces }, now })).toThrow(message);
  });
});
