import type { SendResult, SignedRequest, WebhookSender } from '../../shared/webhooks/webhook-sender.ts';

interface SimulatedReceiver extends WebhookSender {
  received: SignedRequest[];
  /** How it answers from now on. */
  answer: SendResult | ((request: SignedRequest) => SendResult | Promise<SendResult>);
}

/** A receiver of webhooks that answers as a test wants. */
export function simulatedReceiver(): SimulatedReceiver {
  const receiver: SimulatedReceiver = {
    received: [],
    answer: { result: 'succeeded', httpStatus: 200, durationMs: 5 },
    isAllowedUrl: (url) => url.protocol === 'https:',
    async send(request) {
      receiver.received.push(request);
      return typeof receiver.answer === 'function' ? receiver.answer(request) : receiver.answer;
    },
  };
  return receiver;
}
