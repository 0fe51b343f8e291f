/**
 * Returns the manifests of the same bundle as earlier formats have it: without its packed encoder, and without its tail
 * too, as `python -m xpeft bundle` wrote them.
 *
 * Both only compute the same PLM in another way, so rows of those bundles fit this one. An id is a hash: it equals a row's
 * id only if all other files and numbers are the same. A manifest in another layout gives texts that no bundle has.
 *
 * @param manifest the content of `manifest.json`
 */
export function earlierManifests(manifest: string, { packed, tail }: { packed?: unknown; tail?: unknown }): string[] {
  const unpacked = packed ? withoutPacked(manifest) : manifest;
  return [...(packed ? [unpacked] : []), ...(tail ? [withoutTail(unpacked)] : [])];
}

function withoutPacked(manifest: string): string {
  return manifest
    .replace('\n  "format": "xpeft-bundle/3",\n', '\n  "format": "xpeft-bundle/2",\n')
    .replace(/^ {2}"packed": \{[^}]*\n {2}\},\n/m, "")
    .replace(/^ {4}\{\n {6}"path": "[^"]*",\n {6}"role": "packed",[^}]*\n {4}\},\n/gm, "");
}

function withoutTail(manifest: string): string {
  return manifest
    .replace('\n  "format": "xpeft-bundle/2",\n', '\n  "format": "xpeft-bundle/1",\n')
    .replace(/^ {2}"tail": \{[^}]*\n {2}\},\n/m, "")
    .replace(/^ {4}\{\n {6}"path": "[^"]*",\n {6}"role": "tail",[^}]*\n {4}\},\n/m, "");
}
