import { description, license, version } from "../../package.json";
import type { App } from "../env.ts";

/** `GET /openapi.json`: the API's description, made of the schemas that the routes check with. */
export function registerOpenApi(app: App): void {
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: { title: "xpeft-edge", version, description, license: { name: license } },
  });
}
