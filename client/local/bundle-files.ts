import type { ReadFile } from "../../src/bundle/files.ts";
import { parseManifest } from "../../src/bundle/manifest.ts";
import { get, type Service } from "./service.ts";

/** Bytes of the bundle that have arrived, and all that will. */
export interface Download {
  readonly bytes: number;
  readonly of: number;
}

/** Files that only ONNX Runtime reads. */
const OTHER_ENGINE: readonly string[] = ["graph", "learning", "weights"];

/**
 * Returns a reader of the files of a service's bundle. The browser's own cache keeps them: the next page that opens the
 * same bundle downloads its manifest alone.
 *
 * @param onDownload is called as bytes arrive
 * @throws ProblemError if the service answers with an error
 */
export async function openBundleFiles(
  service: Service,
  onDownload: (download: Download) => void = () => {},
): Promise<ReadFile> {
  const manifestBytes = new Uint8Array(await (await get(service, "/v1/bundle")).arrayBuffer());
  const { id, manifest } = await parseManifest(manifestBytes);
  const files = manifest.files.filter(({ role }) => !OTHER_ENGINE.includes(role));
  const of = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = 0;
  const counted = () =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length;
        onDownload({ bytes, of });
        controller.enqueue(chunk);
      },
    });
  return async (path) => {
    if (path === "manifest.json") return manifestBytes;
    const { body } = await get(service, `/v1/bundle/${id}/${encodeURIComponent(path)}`);
    return body && new Uint8Array(await new Response(body.pipeThrough(counted())).arrayBuffer());
  };
}
