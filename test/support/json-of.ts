/** Parses a JSON answer as the shape that the test expects. Assertions check what matters of it. */
export async function jsonOf<T>(answer: { text(): Promise<string> }): Promise<T> {
  return JSON.parse(await answer.text());
}
