import { keepAnsweringDuringCleanup } from './azurite-cleanup.ts';
import { keepTablesSorted } from './azurite-tables.ts';
import { leaveOutTelemetry } from './azurite-telemetry.ts';
import { endWithParent } from './end-with-parent.ts';

/**
 * Preloaded into Azurite with `--import`, so that it starts soon, ends with the process that started it, never stops
 * answering, and stays fast when its tables are large.
 */
leaveOutTelemetry();
keepAnsweringDuringCleanup();
keepTablesSorted();

// A dead parent no longer reads these pipes. Without a listener the first line printed would crash Azurite.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);

endWithParent(() => process.kill(process.pid, 'SIGTERM'));
