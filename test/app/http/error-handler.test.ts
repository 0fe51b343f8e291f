import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { afterEach, expect, it, vi } from "vitest";
import type { AppEnv } from "../../../app/http/env.ts";
import { onError } from "../../../app/http/error-handler.ts";

afterEach(() => vi.restoreAllMocks());

it("neither returns nor logs the message of an unexpected error, which may quote a text", async () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const app = new Hono<AppEnv>().use(requestId()).get("/", () => {
    throw new TypeError("cannot read the very secret text");
  });
  app.onError(onError);

  const response = await app.request("/");
  const body = await response.text();
  expect(response.status).toBe(500);
  expect(JSON.parse(body)).toMatchObject({ code: "internal_error", status: 500 });
  expect(body).not.toContain("secret");

  expect(written).toHaveBeenCalledTimes(1);
  const [line] = written.mock.calls[0] ?? [];
  const entry = JSON.parse(line);
  expect(entry).toMatchObject({ level: "error", code: "internal_error", name: "TypeError" });
  expect(entry.request).toBe(response.headers.get("x-request-id"));
  expect(entry.stack[0]).toContain("error-handler.test.ts");
  expect(line).not.toContain("secret");
});
