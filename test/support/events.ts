/** A server-sent event as it arrives. */
export interface ReadEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Yields a response's events as they arrive. */
export async function* eventsOf(response: Response): AsyncGenerator<ReadEvent, void> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      yield { event, data: JSON.parse(data) };
      text = text.slice(end + 2);
    }
  }
}

/** Returns all events of a response. */
export async function readEvents(response: Response): Promise<ReadEvent[]> {
  return await Array.fromAsync(eventsOf(response));
}
