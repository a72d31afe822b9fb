import { measureRequests } from './requests.ts';

/** `npm run bench -- requests [mailboxes]`: the requests of an import, as a table and as JSON. Exits with 1 if a goal is missed. */
const [what = 'requests', count = '2000'] = process.argv.slice(2);
if (what !== 'requests' || !/^\d+$/.test(count) || Number(count) < 100) {
  console.error('Usage: npm run bench -- requests [mailboxes]\nThe number of mailboxes is at least 100.');
  process.exit(1);
}
const rows = await measureRequests(Number(count));
console.log(
  `Requests per mailbox, in an import of ${count} mailboxes that pass.\nToken requests and vault reads are totals; a progress read is counted by itself.\n`,
);
for (const { operation, goal, measured } of rows) {
  const mark = measured <= goal ? '' : '  MISSED';
  console.log(`  ${operation.padEnd(32)} ${measured.toFixed(3).padStart(8)}   goal ${String(goal).padStart(5)}${mark}`);
}
console.log(`\n${JSON.stringify({ mailboxes: Number(count), rows })}`);
process.exitCode = rows.every(({ goal, measured }) => measured <= goal) ? 0 : 1;
