import { createApp } from "../app/app.ts";
import type { Bindings } from "./platform/bindings.ts";
import { workersPlatform } from "./platform/workers.ts";

const app = createApp();

export default {
  fetch: (request: Request, env: Bindings, context: ExecutionContext) =>
    app.fetch(
      request,
      { platform: workersPlatform(env), callerAddress: request.headers.get("cf-connecting-ip") ?? "unknown" },
      context,
    ),
} satisfies ExportedHandler<Bindings>;
