import { oncePerIsolate } from "../../../functions/platform/isolate.ts";

// A Worker whose load reads two files and fails. It answers with the message of the load's error.

const load = oncePerIsolate(async ({ ASSETS }) => {
  for (const file of ["manifest.json", "tokenizer.json"])
    await (await ASSETS.fetch(`https://bundle.invalid/${file}`)).arrayBuffer();
  await crypto.subtle.digest("SHA-256", new Uint8Array(1));
  throw new Error("the load failed");
});

export default {
  async fetch(request, env, context) {
    await request.arrayBuffer();
    return await load(env, context).then(
      () => new Response("loaded"),
      (error: Error) => new Response(error.message),
    );
  },
} satisfies ExportedHandler<Parameters<typeof load>[0]>;
