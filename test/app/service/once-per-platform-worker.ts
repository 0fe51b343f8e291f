import type { Platform } from "../../../app/platform/platform.ts";
import { oncePerPlatform } from "../../../app/service/once-per-platform.ts";
import type { Bindings } from "../../../functions/platform/bindings.ts";
import { workersPlatform } from "../../../functions/platform/workers.ts";

// A Worker with two loads. It answers with what is loaded, or with the load's error.

const failingLoad = oncePerPlatform<string>(async ({ bundle }) => {
  for (const file of ["manifest.json", "tokenizer.json"]) await bundle.read(file);
  await crypto.subtle.digest("SHA-256", new Uint8Array(1));
  throw new Error("the load failed");
});

let attempts = 0;

/** The first attempt never ends, as if the platform had dropped it. */
const droppedLoad = oncePerPlatform(async () => {
  attempts++;
  return attempts === 1 ? await new Promise<string>(() => {}) : `attempt ${attempts}`;
});

/** A platform that ends loads soon. */
let impatient: Platform | undefined;

export default {
  async fetch(request, env, context) {
    await request.arrayBuffer();
    impatient ??= { ...workersPlatform(env), loadEndsAfterMs: 1000 };
    const load = new URL(request.url).pathname === "/dropped" ? droppedLoad : failingLoad;
    return await load(impatient, context).then(
      (value) => new Response(value),
      (error: Error) => new Response(error.message),
    );
  },
} satisfies ExportedHandler<Bindings>;
