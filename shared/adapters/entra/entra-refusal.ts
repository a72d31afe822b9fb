import { z } from 'zod';
import type { Refusal } from '../../causes/refusal.ts';
import { refused } from '../refused.ts';

const envelope = z.object({
  error: z.string().catch(''),
  error_description: z.string().catch(''),
  error_codes: z.array(z.union([z.number(), z.string()])).catch([]),
  trace_id: z.string().optional().catch(undefined),
});

/** Translates an error response of Entra. A response that is not JSON becomes a refusal without a code. */
export function readEntraRefusal(status: number, body: string, requestId?: string): Refusal {
  const read = envelope.safeParse(parseJson(body));
  if (!read.success) {
    return refused({ service: 'entra', status, code: '', message: '', ...(requestId !== undefined && { requestId }) });
  }
  const { error, error_description: message, error_codes: codes, trace_id: traceId } = read.data;
  // Some responses have the number only in their text.
  const number = codes[0] ?? /AADSTS(\d+)/.exec(message)?.[1];
  const id = traceId ?? requestId;
  return refused({
    service: 'entra',
    status,
    code: number === undefined ? error : `AADSTS${number}`,
    family: error,
    message,
    ...(id !== undefined && { requestId: id }),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
