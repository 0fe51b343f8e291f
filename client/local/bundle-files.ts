import type { ReadFile } from "../../src/bundle/files.ts";
import { parseManifest, withoutOnnxRuntime } from "../../src/bundle/manifest.ts";
import { type Cached, get, type Service } from "./service.ts";

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
 * @throws ProblemError if the service answers with an error
 */
export async function openBundleFiles(
  service: Service,
  onDownload: (download: Download) => void,
  cached: Cached,
): Promise<ReadFile> {
  const manifestBytes = new Uint8Array(await (await get(service, "v1/bundle")).arrayBuffer());
  const { id, manifest } = await parseManifest(manifestBytes);
  const totalBytes = withoutOnnxRuntime(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
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
    const { body } = await get(service, `v1/bundle/${id}/${encodeURIComponent(path)}`, cached);
    return body && new Uint8Array(await new Response(body.pipeThrough(counted())).arrayBuffer());
  };
}
