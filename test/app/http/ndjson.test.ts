import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { afterEach, expect, it, vi } from "vitest";
import type { AppEnv } from "../../../app/http/env.ts";
import { streamAnswer } from "../../../app/http/ndjson.ts";

afterEach(() => vi.restoreAllMocks());

it("ends the work without an error in the log if the caller disconnects while a line is made", async () => {
  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  const line = Promise.withResolvers<string>();
  let hasEnded = false;
  async function* lines(): AsyncGenerator<string> {
    try {
      yield "first\n";
      yield await line.promise;
    } finally {
      hasEnded = true;
    }
  }
  let streaming: Promise<void> | undefined;
  const app = new Hono<AppEnv>().use(requestId()).get("/", (c) => {
    const answer = streamAnswer(c, lines());
    streaming = c.get("streaming");
    return answer;
  });

  const reader = (await app.request("/")).body?.getReader();
  await reader?.read();
  const cancelled = reader?.cancel();
  line.resolve("second\n");
  await Promise.all([cancelled, streaming]);
  expect(hasEnded).toBe(true);
  expect(errors).not.toHaveBeenCalled();
});

it("ends the work if the caller disconnects before anything is read", async () => {
  const ended = vi.fn();
  async function* lines(): AsyncGenerator<string> {
    try {
      yield "first\n";
    } finally {
      ended();
    }
  }
  const app = new Hono<AppEnv>().use(requestId()).get("/", async (c) => {
    const answer = streamAnswer(c, lines());
    await answer.body?.cancel();
    return c.body(null);
  });
  await app.request("/");
  expect(ended).toHaveBeenCalledOnce();
});
