/**
 * Whether a text has the form of a Secret ID, which is a GUID. The portal shows the ID next to the Value, and a Value
 * never has that form.
 */
export function isSecretId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.trim());
}
