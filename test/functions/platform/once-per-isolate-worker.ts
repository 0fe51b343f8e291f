import { oncePerIsolate } from "../../../functions/platform/once-per-isolate.ts";

// A Worker with two loads. It answers with what is loaded, or with the load's error.

const failingLoad = oncePerIsolate<string>(async ({ ASSETS }) => {
  for (const file of ["manifest.json", "tokenizer.json"])
    await (await ASSETS.fetch(`https://bundle.invalid/${file}`)).arrayBuffer();
  await crypto.subtle.digest("SHA-256", new Uint8Array(1));
  throw new Error("the load failed");
});

let attempts = 0;

/** The first attempt never ends, as if the platform had dropped it. */
const droppedLoad = oncePerIsolate(async () => {
  attempts++;
  return attempts === 1 ? await new Promise<string>(() => {}) : `attempt ${attempts}`;
}, 1000);

export default {
  async fetch(request, env, context) {
    await request.arrayBuffer();
    const load = new URL(request.url).pathname === "/dropped" ? droppedLoad : failingLoad;
    return await load(env, context).then(
      (value) => new Response(value),
      (error: Error) => new Response(error.message),
    );
  },
} satisfies ExportedHandler<Parameters<typeof failingLoad>[0]>;
