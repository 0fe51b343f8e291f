import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../node/files.ts";
import { examplesOf } from "../../support/examples.ts";
import { isLongForm } from "../../support/long-form.ts";
import { taskFor } from "../../support/rows.ts";
import type { Servers } from "../conformance.ts";
import { answerOf, ask, headersOf, type Json, lineOf, NDJSON, open } from "../http.ts";
import type { RuntimeName } from "../runtime.ts";

const DISCONNECTS = isLongForm ? 30 : 2;
const PAUSE_MS = 340_000;
/** Profiles of the task `masked`: far more than are read before a disconnect. */
const MASKED = 5000;

/** Requests and answers that arrive bit by bit, and callers that disconnect. */
export function streams(_: RuntimeName, servers: Servers): void {
  describe("streams", () => {
    beforeAll(async () => {
      const task = taskFor(await readBundle("bundles/minilm-l6-v2"), { name: "masked" });
      const profiles = Array.from({ length: MASKED }, (_, index) => ({
        id: `q-${String(index).padStart(4, "0")}`,
        masks: task.masks,
        labelBias: null,
      }));
      await servers.main.push(task, profiles);
    });

    const logged = (parts: object) =>
      servers.main.logs().filter((line) => Object.entries(parts).every(([name, value]) => line[name] === value));

    /** Lets a request be cut off. */
    const cut = (request: ClientRequest, response?: IncomingMessage): void => {
      request.on("error", () => {});
      response?.on("error", () => {});
      request.destroy();
    };

    it("answer the first lines while the body is still being sent", async () => {
      const upload = open(servers.main, "POST", "/v1/predict/stream?task=demo&profile=demo-001", { headers: NDJSON });
      upload.write(lineOf({ text: "the first" }));
      const response = await headersOf(upload);
      const lines: Json[] = [];
      response.setEncoding("utf8");
      response.on("data", (text: string) =>
        lines.push(
          ...text
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line)),
        ),
      );
      await expect.poll(() => lines).toMatchObject([{ line: 1, profile: "demo-001" }]);
      upload.write(lineOf({ text: "the second" }));
      await expect.poll(() => lines).toMatchObject([{ line: 1 }, { line: 2 }]);
      const ended = once(response, "end");
      upload.end(lineOf({ text: " " }));
      await ended;
      expect(lines).toMatchObject([
        {},
        {},
        { line: 3, error: { code: "empty_text" } },
        { done: true, answered: 2, failed: 1 },
      ]);
    });

    it("of a fan-out have a line for each profile", async () => {
      const body = { task: "masked", text: "A river in spring", profiles: "all" };
      const answer = await ask(servers.main, "POST", "/v1/fanout", { body });
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, NDJSON["content-type"]]);
      const lines = answer.lines();
      expect(lines.filter(({ profile }) => profile !== undefined)).toHaveLength(MASKED);
      expect(lines.at(-1)).toMatchObject({ done: true, next: null });
    });

    it.each([
      [
        "texts",
        "/v1/predict/stream?task=demo&profile=demo-001",
        NDJSON,
        lineOf({ text: "the first" }),
        "/v1/predict/stream",
      ],
      [
        "a fan-out",
        "/v1/fanout",
        { "content-type": "application/json" },
        JSON.stringify({ task: "masked", text: "A river in spring", profiles: "all" }),
        "/v1/fanout",
      ],
    ])(`of %s end when the caller disconnects, ${DISCONNECTS} times`, async (_, path, headers, body, route) => {
      const before = logged({ route, aborted: true }).length;
      for (let count = 1; count <= DISCONNECTS; count++) {
        const request = open(servers.main, "POST", path, { headers });
        if (route === "/v1/fanout") request.end(body);
        else request.write(body);
        const response = await headersOf(request);
        await once(response, "data");
        cut(request, response);
        await expect.poll(() => logged({ route, aborted: true }).length).toBe(before + count);
      }
      expect(logged({ level: "error" })).toEqual([]);
    });

    const learn = (path: string, body: object) =>
      ask(servers.main, "POST", `/v1/profiles/demo/${path}/learn`, { body: { start: "default", epochs: 4, ...body } });
    const eventsOf = (text: string): { event: string; data: Json }[] =>
      [...text.matchAll(/event: (.*)\ndata: (.*)\n\n/g)].map(([, event = "", data = ""]) => ({
        event,
        data: JSON.parse(data),
      }));

    it("of learning have progress, then the profile that was written", async () => {
      const answer = await learn("learnt", { examples: examplesOf(8) });
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/event-stream"]);
      const events = eventsOf(answer.text);
      const last = events.pop();
      expect(events.length).toBeGreaterThan(1);
      expect(new Set(events.map(({ event }) => event))).toEqual(new Set(["progress"]));
      expect(last).toMatchObject({
        event: "learnt",
        data: { task: "demo", profile: "learnt", generation: 1, created: true },
      });
      const stored = (await ask(servers.main, "GET", "/v1/profiles/demo/learnt")).json();
      expect(stored).toMatchObject({ generation: 1, masks: last?.data.masks, labelBias: last?.data.labelBias });
    });

    it.each(["before the answer begins", "before the first event is read", "after it"])(
      `of learning are cancelled by a disconnect %s, ${DISCONNECTS} times: nothing is written, and the next can learn`,
      async (when) => {
        const route = "/v1/profiles/:task/:profile/learn";
        const ended = () => logged({ route }).length - logged({ route, code: "learning_busy" }).length;
        const body = JSON.stringify({ examples: examplesOf(20), epochs: 60, start: "default" });
        for (let count = 1; count <= DISCONNECTS; count++) {
          const before = ended();
          const request = open(servers.main, "POST", "/v1/profiles/demo/cancelled/learn", {
            headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
          });
          request.on("error", () => {});
          await new Promise<void>((resolve) => request.end(body, resolve));
          if (when !== "before the answer begins") {
            const response = await headersOf(request);
            response.on("error", () => {});
            if (when === "after it") await once(response, "data");
          } else await sleep(50 * count);
          request.destroy();
          await expect.poll(ended).toBe(before + 1);
          const next = async () => {
            const answer = await learn("learnt", { examples: examplesOf(6), epochs: 1, dryRun: true });
            return answer.status === 503 ? "busy" : eventsOf(answer.text).at(-1)?.event;
          };
          await expect.poll(next, { interval: 250 }).toBe("learnt");
        }
        expect(logged({ route, aborted: true }).length).toBeGreaterThan(0);
        expect((await ask(servers.main, "GET", "/v1/profiles/demo/cancelled")).status).toBe(404);
        expect(logged({ level: "error" })).toEqual([]);
      },
    );

    it.runIf(isLongForm)("may pause for longer than servers wait for other bodies", async () => {
      const upload = open(servers.main, "POST", "/v1/predict/stream?task=demo&profile=demo-001", { headers: NDJSON });
      upload.write(lineOf({ text: "the first" }));
      const response = await headersOf(upload);
      // Node ends a request after five minutes, unless it is told not to.
      await sleep(PAUSE_MS);
      upload.end(lineOf({ text: "the second" }));
      const lines = String(Buffer.concat(await response.toArray()))
        .trimEnd()
        .split("\n");
      expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ done: true, answered: 2, failed: 0 });
    });

    it.runIf(isLongForm)("are no way to let a body trickle", async () => {
      const request = open(servers.main, "POST", "/v1/predict", {
        headers: { "content-type": "application/json", "content-length": "100" },
      });
      request.on("error", () => {});
      request.write("{");
      const answer = await answerOf(request);
      expect([answer.status, answer.json().code]).toEqual([408, "body_too_slow"]);
      request.destroy();
    });

    it("that are cut off in the middle of a body are no fault of the service", async () => {
      const request = open(servers.main, "POST", "/v1/predict", {
        headers: { "content-type": "application/json", "content-length": "400" },
      });
      request.write('{"task":');
      await sleep(200);
      cut(request);
      // workerd ends such a request without a line in the log.
      await sleep(300);
      expect(logged({ level: "error" })).toEqual([]);
    });
  });
}
