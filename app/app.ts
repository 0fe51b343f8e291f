import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { timing } from "hono/timing";
import { BOOKMARK } from "./http/bookmarks.ts";
import { onError, onNotFound } from "./http/error-handler.ts";
import { problem } from "./http/problem.ts";
import { createRouter } from "./http/router.ts";
import { addBookmark } from "./middleware/bookmark.ts";
import { dropBodyOfHead } from "./middleware/drop-body-of-head.ts";
import { logRequest } from "./middleware/request-log.ts";
import { registerOpenApi } from "./openapi.ts";
import type { Settings } from "./platform/settings.ts";
import { apiViewerRoutes } from "./routes/api-viewer.ts";
import { bundleRoutes } from "./routes/bundle.ts";
import { docsRoutes } from "./routes/docs.ts";
import { healthRoutes } from "./routes/health.ts";
import { infoRoutes } from "./routes/info.ts";
import { learnRoutes } from "./routes/learn.ts";
import { learnTaskRoutes } from "./routes/learn-task.ts";
import { playgroundRoutes } from "./routes/playground.ts";
import { huggingFaceEndpointRoutes, teiEndpointRoutes } from "./routes/predict/endpoint.ts";
import { fanOutRoutes } from "./routes/predict/fanout.ts";
import { huggingFaceRoutes } from "./routes/predict/huggingface.ts";
import { predictRoutes } from "./routes/predict/predict.ts";
import { predictStreamRoutes } from "./routes/predict/stream.ts";
import { teiRoutes } from "./routes/predict/tei.ts";
import { exportRoutes } from "./routes/registry/export.ts";
import { historyRoutes } from "./routes/registry/history.ts";
import { importRoutes } from "./routes/registry/import.ts";
import { profileRoutes } from "./routes/registry/profiles.ts";
import { taskRoutes } from "./routes/registry/tasks.ts";
import { tokenRoutes } from "./routes/token.ts";

/** The routes of the OpenAPI document. */
const api = createRouter()
  .route("/", predictRoutes)
  .route("/", predictStreamRoutes)
  .route("/", fanOutRoutes)
  .route("/", huggingFaceRoutes)
  .route("/", huggingFaceEndpointRoutes)
  .route("/", teiRoutes)
  .route("/", teiEndpointRoutes)
  .route("/", taskRoutes)
  .route("/", importRoutes)
  .route("/", exportRoutes)
  .route("/", profileRoutes)
  .route("/", historyRoutes)
  .route("/", learnRoutes)
  .route("/", learnTaskRoutes)
  .route("/", tokenRoutes)
  .route("/", infoRoutes)
  .route("/", bundleRoutes)
  .route("/", healthRoutes);

/** The API's type, for clients. @public */
export type Api = typeof api;

/** Creates the app: every route, and the middleware of all routes. It knows no platform but by its interface. */
export function createApp() {
  const app = createRouter();
  app.use(requestId());
  app.use(dropBodyOfHead);
  app.use(logRequest);
  app.use(timing());
  app.use(secureHeaders());
  app.use(
    cors({
      origin: (origin, c) => {
        const { corsOrigins }: Settings = c.env.platform.settings();
        return corsOrigins.includes("*") ? "*" : corsOrigins.find((allowed) => allowed === origin);
      },
      // Without allowHeaders a page may send any header: clients and tracing add headers of their own.
      allowMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
      exposeHeaders: ["etag", "retry-after", "server-timing", "x-request-id", BOOKMARK],
      maxAge: 3600,
    }),
  );
  app.use(addBookmark);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header("allow", methods.join(", "));
        return problem(c, {
          code: "method_not_allowed",
          message: `${c.req.path} does not accept ${c.req.method}.`,
          hint: `Use ${methods.join(" or ")}.`,
        });
      },
    }),
  );
  app.onError(onError);
  app.notFound(onNotFound);
  app.route("/", api);
  app.route("/", playgroundRoutes);
  app.route("/", apiViewerRoutes);
  app.route("/", docsRoutes);
  registerOpenApi(app);
  return app;
}
