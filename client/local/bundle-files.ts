import type { ReadFile } from "../../src/bundle/files.ts";
import { parseManifest, withoutOnnxRuntime } from "../../src/bundle/manifest.ts";
import type { Client } from "../client.ts";
import { successful } from "./service.ts";

/** How much of the bundle has arrived. */
export interface Download {
  readonly bytes: number;
  readonly totalBytes: number;
}

/**
 * Returns a reader of the files of a service's bundle. The browser caches them: the next page that opens the same bundle
 * downloads only its manifest.
 *
 * @param onDownload is called as bytes arrive
 * @param mayBeCached whether files may come from the browser's cache
 * @throws ProblemError if the service answers with an error; UnreachableError
 */
export async function openBundleFiles(
  client: Client,
  onDownload: (download: Download) => void,
  mayBeCached: boolean,
): Promise<ReadFile> {
  const { bundle } = client.v1;
  const manifestBytes = new Uint8Array(await (await successful(bundle.$get())).arrayBuffer());
  const { id, manifest } = await parseManifest(manifestBytes);
  const totalBytes = withoutOnnxRuntime(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  const options = mayBeCached ? {} : ({ init: { cache: "no-cache" } } as const);
  let bytes = 0;
  const counted = () =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length;
        onDownload({ bytes, totalBytes });
        controller.enqueue(chunk);
      },
    });
  return async (path) => {
    if (path === "manifest.json") return manifestBytes;
    const request = bundle[":bundle"][":file"].$get({ param: { bundle: id, file: path } }, options);
    const { body } = await successful(request);
    return body && new Uint8Array(await new Response(body.pipeThrough(counted())).arrayBuffer());
  };
}
