import { createRoute, z } from "@hono/zod-openapi";
import { withoutOnnxRuntime } from "../../src/bundle/manifest.ts";
import { XpeftError } from "../../src/errors.ts";
import { problemResponses } from "../http/problem.ts";
import { RequestError } from "../http/problem-codes.ts";
import { createRouter } from "../http/router.ts";
import { ACCESS_PROBLEMS, byKey } from "../middleware/access.ts";
import { noQuery } from "../middleware/no-query.ts";
import type { Platform } from "../platform/platform.ts";
import { BUNDLE_PROBLEMS, bundleOf } from "../service/service.ts";

const BYTES = "application/octet-stream";

/** Declares an answer of bytes. */
const bytesAnswer = (description: string) => ({
  description,
  content: { [BYTES]: { schema: z.string().openapi({ format: "binary" }) } },
});

const manifestRoute = createRoute({
  ...byKey("predict", noQuery),
  method: "get",
  path: "/v1/bundle",
  operationId: "readManifest",
  tags: ["Service"],
  summary: "Read the bundle's manifest, byte for byte: its SHA-256 begins with the bundle's id",
  responses: {
    200: bytesAnswer("The manifest, as docs/formats.md describes it."),
    ...problemResponses(...ACCESS_PROBLEMS, ...BUNDLE_PROBLEMS),
  },
});

const fileRoute = createRoute({
  ...byKey("predict", noQuery),
  method: "get",
  path: "/v1/bundle/{bundle}/{file}",
  operationId: "readBundleFile",
  tags: ["Service"],
  summary: "Read a file of the bundle",
  description:
    "A bundle's files never change, so a browser may cache them. The manifest has their sizes and hashes. Files that only ONNX Runtime reads are not served.",
  request: {
    params: z.object({
      bundle: z.string().openapi({ description: "The bundle's id.", example: "0".repeat(32) }),
      file: z.string().openapi({ description: "A path of the manifest.", example: "tokenizer.json" }),
    }),
  },
  responses: {
    200: bytesAnswer("The file."),
    ...problemResponses(...ACCESS_PROBLEMS, ...BUNDLE_PROBLEMS, "bundle_mismatch", "not_found"),
  },
});

/** For a year, and only in the caller's own cache: the route needs a key. */
const IMMUTABLE = "private, max-age=31536000, immutable";

/** Opens a file of the bundle as a stream. @throws XpeftError `bundle_file_missing` or `bundle_unusable` */
async function openFile({ bundle }: Platform, path: string): Promise<ReadableStream<Uint8Array>> {
  const file = await bundle.open(path);
  if (file) return file;
  throw new XpeftError("bundle_file_missing", `The bundle has no file ${path}.`);
}

/** `/v1/bundle`: the files that an engine elsewhere needs to label texts as this one does (client/local). */
export const bundleRoutes = createRouter()
  .openapi(manifestRoute, async (c) => {
    const manifest = await openFile(c.env.platform, "manifest.json");
    return c.body(manifest, 200, { "content-type": BYTES, "cache-control": "no-cache" });
  })
  .openapi(fileRoute, async (c) => {
    const { bundle, file } = c.req.valid("param");
    const { id, manifest } = await bundleOf(c.env.platform, c.executionCtx);
    if (bundle !== id) {
      const message = `Bundle ${id} is deployed, and not ${bundle}.`;
      throw new RequestError("bundle_mismatch", message, "Read the manifest again: GET /v1/bundle.");
    }
    if (!withoutOnnxRuntime(manifest.files).some(({ path }) => path === file)) {
      const message = `The manifest lists no file "${file}" that engines elsewhere read.`;
      throw new RequestError("not_found", message, "GET /v1/bundle lists the files.");
    }
    const content = await openFile(c.env.platform, file);
    return c.body(content, 200, { "content-type": BYTES, "cache-control": IMMUTABLE });
  });
