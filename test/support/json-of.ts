/** Parses a JSON answer as the type that the test expects. Nothing checks the type: assertions do that. */
export async function jsonOf<T>(answer: { text(): Promise<string> }): Promise<T> {
  return JSON.parse(await answer.text());
}
