import type { Refusal } from '../causes/refusal.ts';

/** Longer than any code or request ID of Microsoft. A server that sends more must not fill our storage. */
const CODE_MAX_LENGTH = 200;
const MESSAGE_MAX_LENGTH = 1000;

/** Every refusal enters here. Cuts what a server has sent, because its codes and its request ID are stored. */
export function refused(refusal: Refusal): Refusal {
  const { code, innerCode, family, message, requestId } = refusal;
  return {
    ...refusal,
    code: cutCode(code),
    message: message.slice(0, MESSAGE_MAX_LENGTH).toWellFormed(),
    ...(innerCode !== undefined && { innerCode: cutCode(innerCode) }),
    ...(family !== undefined && { family: cutCode(family) }),
    ...(requestId !== undefined && { requestId: cutCode(requestId) }),
  };
}

/** A code or a request ID as it is stored. */
export function cutCode(text: string): string {
  return text.slice(0, CODE_MAX_LENGTH).toWellFormed();
}
