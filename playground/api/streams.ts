/** Returns the pieces of a stream as they arrive. Not every browser can iterate over a stream itself. */
export async function* piecesOf<Piece>(stream: ReadableStream<Piece> | undefined): AsyncGenerator<Piece> {
  const reader = stream?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) yield next.value;
}

/** Returns the lines of an answer in JSON Lines as they arrive. A line without its end is not one. */
export async function* jsonLinesOf<Line>(response: Response): AsyncGenerator<Line> {
  let rest = "";
  for await (const piece of piecesOf(textStreamOf(response))) {
    const lines = `${rest}${piece}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines.map((line): Line => JSON.parse(line));
  }
}

/** Returns the text of a response as it arrives. */
export const textStreamOf = (response: Response): ReadableStream<string> | undefined =>
  response.body?.pipeThrough(new TextDecoderStream());
