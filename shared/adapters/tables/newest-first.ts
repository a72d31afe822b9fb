const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/**
 * A row key that sorts newest first. IDs begin with their time, so each character is replaced by its mirror image in
 * the alphabet. Applying it twice returns the ID.
 */
export function newestFirst(id: string): string {
  return [...id]
    .map((character) => {
      const position = ALPHABET.indexOf(character);
      return position < 0 ? character : ALPHABET[ALPHABET.length - 1 - position];
    })
    .join('');
}
