import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import { type SweepDeps, sweepImports } from '../../shared/imports/recovering/sweep-imports.ts';

export function addSweepImportsTimer(host: Pick<typeof app, 'timer'>, deps: SweepDeps & TimerDeps): void {
  host.timer('sweep-imports', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'sweep-imports',
      async handle({ log }) {
        const { open, failed } = await sweepImports(deps);
        for (const error of failed) log('warn', 'sweep_skipped_an_import', { error });
        log('info', 'imports_swept', { open, failed: failed.length });
      },
    }),
  });
}
