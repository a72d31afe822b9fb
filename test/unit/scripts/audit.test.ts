import { expect, it } from 'vitest';
import { readAudit } from '../../../scripts/audit.ts';

const report = JSON.stringify({ auditReportVersion: 2, vulnerabilities: {}, metadata: {} });

it('a report and exit code 0: nothing at this level', () => {
  expect(readAudit(0, report)).toEqual({ outcome: 'clean' });
});

it('a report and exit code 1: vulnerable', () => {
  expect(readAudit(1, report)).toEqual({ outcome: 'vulnerable' });
});

it.each([
  ['has no audit endpoint', { message: '405 Method Not Allowed', statusCode: 405, error: { summary: '' } }],
  ['cannot be reached', { error: { code: 'ENOTFOUND', summary: 'getaddrinfo ENOTFOUND', detail: '' } }],
])('a registry that %s says nothing about the dependencies', (_, output) => {
  expect(readAudit(1, JSON.stringify(output))).toEqual({ outcome: 'unanswered', reason: expect.stringMatching(/./) });
});

it.each([
  [1, ''],
  [1, 'npm crashed'],
  [1, '{}'],
  [0, '{}'],
])('exit code %i with the output "%s" is a failure, not a pass', (exitCode, output) => {
  expect(() => readAudit(exitCode, output)).toThrow('printed no report');
});
