/** Where a Worker's message names a text of the request: by its index and maybe a field; or without, the only text. */
const TEXT = /^(?:examples|inputs)\[(\d+)\](?:\.(\w+))?|^Input (\d+)|^The text(?= has )/;

/** Returns an error whose message names a text's line in its file instead of its index. Other errors are unchanged. */
export function nameLine(error: unknown, texts: readonly { readonly line: number }[], path: string): unknown {
  if (!(error instanceof Error)) return error;
  error.message = error.message.replace(TEXT, (name, index?: string, field?: string, inputIndex?: string) => {
    const text = texts[Number(index ?? inputIndex ?? 0)];
    return text ? `${path}:${text.line}${field ? `: ${field}` : ""}` : name;
  });
  return error;
}
