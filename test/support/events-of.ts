/** The events of a stream, without its comments. */
export async function eventsOf(response: { text(): Promise<string> }) {
  const blocks = (await response.text()).split('\n\n').filter((block) => block.startsWith('event:'));
  return blocks.map((block) => {
    const [, event, id, data] = /^event: (.*)\nid: (.*)\ndata: (.*)$/.exec(block) ?? [];
    return { event, id, data: JSON.parse(data ?? '') };
  });
}
