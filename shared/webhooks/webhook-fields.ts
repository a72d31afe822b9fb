import { z } from 'zod';
import { eventTypes } from './event-types.ts';

const URL_MAX_LENGTH = 2000;

/**
 * Where to deliver. The address behind the name is checked on every delivery, because it can change. What can be seen in
 * the URL itself is refused here.
 *
 * @param isAllowedUrl whether deliveries may go to this URL, as far as it can be seen without asking DNS
 */
export function webhookUrlField(isAllowedUrl: (url: URL) => boolean) {
  return z
    .string()
    .meta({ description: 'Where to deliver, by HTTPS.', examples: ['https://hooks.contoso.com/muster'] })
    .trim()
    .min(1)
    .max(URL_MAX_LENGTH)
    .superRefine((text, context) => {
      const refuse = (message: string) => context.addIssue({ code: 'custom', message });
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (!url) return refuse('must be a URL, such as https://hooks.contoso.com/muster');
      if (url.username !== '' || url.password !== '') return refuse('must not contain a user or password');
      if (url.hash !== '') return refuse('must not contain a fragment');
      if (!isAllowedUrl(url)) refuse('must begin with https: and name a server on the public internet');
    })
    .transform((text) => (URL.canParse(text) ? new URL(text).href : text));
}

export const eventListField = z
  .array(z.enum(eventTypes))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'names an event twice')
  .meta({ uniqueItems: true, description: 'The events to deliver.' });
