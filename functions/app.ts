import { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import type { App, AppEnv } from "./env.ts";
import { onError, onNotFound } from "./middleware/errors.ts";
import { onInvalid } from "./middleware/validation.ts";
import { problem } from "./problem.ts";
import { registerHealth } from "./routes/health.ts";
import { registerOpenApi } from "./routes/openapi.ts";
import { registerPlayground } from "./routes/playground.ts";
import { registerPredict } from "./routes/predict.ts";
import { registerProfile } from "./routes/profile.ts";
import { registerTasks } from "./routes/tasks.ts";

/** The whole API: every route, and what holds for all of them. */
export function createApp(): App {
  const app: App = new OpenAPIHono<AppEnv>({ defaultHook: onInvalid });
  app.use(requestId());
  app.use(secureHeaders());
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header("allow", methods.join(", "));
        return problem(c, {
          code: "method_not_allowed",
          message: `${c.req.path} does not take ${c.req.method}.`,
          hint: `It takes ${methods.join(", ")}.`,
        });
      },
    }),
  );
  app.onError(onError);
  app.notFound(onNotFound);

  registerPredict(app);
  registerTasks(app);
  registerProfile(app);
  registerHealth(app);
  registerOpenApi(app);
  registerPlayground(app);
  return app;
}
