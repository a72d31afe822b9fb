import { readAudit } from './audit.ts';
import { runNpm } from './npm.ts';

/**
 * Asks the registry for known vulnerabilities of the production dependencies. Exits with 1 if one is high or critical.
 * A registry that has no audit endpoint, or does not answer, is named and is no failure.
 */
const { exitCode, output } = runNpm(
  '.',
  'audit',
  '--omit=dev',
  '--audit-level=high',
  '--json',
  '--fetch-retries=0',
  '--fetch-timeout=20000',
);
const audit = readAudit(exitCode, output);
switch (audit.outcome) {
  case 'clean':
    console.log('npm audit: no production dependency has a known vulnerability that is high or critical.');
    break;
  case 'unanswered':
    console.log('npm audit: skipped, because the registry did not answer the question.');
    break;
  case 'vulnerable':
    console.error(`npm audit found vulnerabilities that are high or critical:\n${output}`);
    process.exitCode = 1;
}
