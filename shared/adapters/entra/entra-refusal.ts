import { z } from 'zod';
import type { Refusal } from '../../causes/refusal.ts';

const envelope = z.object({
  error: z.string().catch(''),
  error_description: z.string().catch(''),
  error_codes: z.array(z.union([z.number(), z.string()])).catch([]),
  trace_id: z.string().optional().catch(undefined),
});

/** Translates what Entra's endpoints answer instead of a token. A page that is not JSON gives a refusal without code. */
export function readEntraRefusal(status: number, body: string, requestId?: string): Refusal {
  const read = envelope.safeParse(parseJson(body));
  if (!read.success) {
    return { service: 'entra', status, code: '', message: '', ...(requestId !== undefined && { requestId }) };
  }
  const { error, error_description: message, error_codes: codes, trace_id: traceId } = read.data;
  // Some answers name the number in their text only.
  const number = codes[0] ?? /AADSTS(\d+)/.exec(message)?.[1];
  const id = traceId ?? requestId;
  return {
    service: 'entra',
    status,
    code: number === undefined ? error : `AADSTS${number}`,
    family: error,
    message,
    ...(id !== undefined && { requestId: id }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
