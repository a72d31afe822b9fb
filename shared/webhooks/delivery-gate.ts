/** Limits the attempts that this process makes for one webhook at the same time. */
export interface DeliveryGate {
  /** Runs the work, or resolves to `full` without running it. */
  run(webhookId: string, work: () => Promise<void>): Promise<'done' | 'full'>;
}

/** A receiver that never answers in time must not use up the workers that all customers share. */
export function createDeliveryGate(attemptsMax: number): DeliveryGate {
  const running = new Map<string, number>();
  return {
    async run(webhookId, work) {
      const count = running.get(webhookId) ?? 0;
      if (count >= attemptsMax) return 'full';
      running.set(webhookId, count + 1);
      try {
        await work();
        return 'done';
      } finally {
        const left = (running.get(webhookId) ?? 1) - 1;
        if (left > 0) running.set(webhookId, left);
        else running.delete(webhookId);
      }
    },
  };
}
