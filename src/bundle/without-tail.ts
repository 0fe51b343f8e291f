/**
 * Returns the manifest of the same bundle without its tail, as `python -m xpeft bundle` wrote it in format 1.
 *
 * A tail adds nothing to the encoder, so rows of that bundle fit this one. Its id is a hash: it equals a row's id only
 * if all other files and numbers are the same. A manifest in another layout gives a text that no bundle has.
 */
export function withoutTail(manifest: string): string {
  return manifest
    .replace('\n  "format": "xpeft-bundle/2",\n', '\n  "format": "xpeft-bundle/1",\n')
    .replace(/^ {2}"tail": \{[^}]*\n {2}\},\n/m, "")
    .replace(/^ {4}\{\n {6}"path": "[^"]*",\n {6}"role": "tail",[^}]*\n {4}\},\n/m, "");
}
