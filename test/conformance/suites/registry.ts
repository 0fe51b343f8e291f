import { beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../node/files.ts";
import { headHashOf, masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../../support/rows.ts";
import type { Servers } from "../conformance.ts";
import { type AskOptions, ask, NDJSON } from "../http.ts";
import type { RuntimeName } from "../runtime.ts";

const blob = (seed: number) => Buffer.from(masksOf(seed)).toString("base64");

/** Tasks and profiles: conditional writes, histories, pages, import and export. */
export function registry(name: RuntimeName, servers: Servers): void {
  describe("the registry", () => {
    let bundle: Awaited<ReturnType<typeof readBundle>>;
    beforeAll(async () => {
      bundle = await readBundle("bundles/minilm-l6-v2");
    });

    const send = (method: string, path: string, options?: AskOptions) => ask(servers.main, method, path, options);
    const codeOf = async (method: string, path: string, options?: AskOptions) => {
      const answer = await send(method, path, options);
      return [answer.status, answer.json().code, answer.json().generation];
    };

    it("writes a task and a profile by compare and swap", async () => {
      const body = taskFile(taskFor(bundle, { name: "swapped" }));
      const task = "/v1/tasks/swapped";
      const created = await send("PUT", task, { body, headers: { "if-none-match": "*" } });
      expect([created.status, created.headers.etag, created.json().generation]).toEqual([200, '"1"', 1]);
      expect(await codeOf("PUT", task, { body, headers: { "if-none-match": "*" } })).toEqual([
        412,
        "generation_mismatch",
        1,
      ]);
      expect((await send("PUT", task, { body, headers: { "if-match": 'W/"1"' } })).headers.etag).toBe('"2"');
      expect((await send("GET", task)).json()).toEqual(JSON.parse(body));

      const profile = "/v1/profiles/swapped/me";
      expect(await codeOf("PUT", profile, { body: { masks: blob(1) }, headers: { "if-match": '"1"' } })).toEqual([
        412,
        "generation_mismatch",
        0,
      ]);
      for (const generation of [1, 2, 3]) {
        const headers: Record<string, string> = generation === 1 ? {} : { "if-match": `"${generation - 1}"` };
        const written = await send("PUT", profile, { body: { masks: blob(generation) }, headers });
        expect([written.status, written.headers.etag]).toEqual([200, `"${generation}"`]);
      }
      const read = await send("GET", profile);
      expect([read.headers.etag, read.json().masks]).toEqual(['"3"', blob(3)]);
      expect(await codeOf("DELETE", task)).toEqual([409, "task_has_profiles", undefined]);
      expect(await codeOf("DELETE", profile, { headers: { "if-match": '"2"' } })).toEqual([
        412,
        "generation_mismatch",
        3,
      ]);
      expect((await send("DELETE", profile, { headers: { "if-match": '"3"' } })).status).toBe(200);
      expect(await codeOf("GET", profile)).toEqual([404, "unknown_profile", undefined]);
      // A deleted row's generations are not used again.
      expect((await send("PUT", profile, { body: { masks: blob(4) } })).json().generation).toBe(5);
      expect((await send("DELETE", `${task}?profiles=delete`)).status).toBe(200);
      expect(await codeOf("GET", task)).toEqual([404, "unknown_task", undefined]);
    });

    it("keeps a history, and rolls a profile back", async () => {
      const profile = "/v1/profiles/demo/rolled";
      for (const seed of [11, 12, 13]) await send("PUT", profile, { body: { masks: blob(seed) } });
      const { current, earlier } = (await send("GET", `${profile}/history`)).json();
      expect([current.generation, earlier.map((row: { generation: number }) => row.generation)]).toEqual([3, [2, 1]]);
      const back = await send("POST", `${profile}/rollback`, {
        body: { generation: 1 },
        headers: { "if-match": '"3"' },
      });
      expect([back.status, back.headers.etag, back.json()]).toEqual([
        200,
        '"4"',
        { task: "demo", profile: "rolled", generation: 4 },
      ]);
      expect((await send("GET", profile)).json()).toMatchObject({ generation: 4, masks: blob(11) });
      expect(await codeOf("POST", `${profile}/rollback`, { body: { generation: 9 } })).toEqual([
        404,
        "unknown_generation",
        undefined,
      ]);
    });

    it("imports, exports and lists in pages", async () => {
      const task = taskFor(bundle, { name: "listed" });
      expect((await send("PUT", "/v1/tasks/listed", { body: taskFile(task) })).status).toBe(200);
      const file = profilesFile("listed", profilesOf(250), await headHashOf(task));
      const imported = await send("POST", "/v1/tasks/listed/import", {
        body: `${file}{"profile":"x"}\n`,
        headers: NDJSON,
      });
      expect([imported.status, imported.headers["content-type"]]).toEqual([200, NDJSON["content-type"]]);
      const lines = imported.lines();
      expect(lines.at(-1)).toMatchObject({ done: true, created: 250, replaced: 0, unchanged: 0, failed: 1 });
      expect(lines.find(({ line }) => line === 251)).toMatchObject({
        status: "failed",
        error: { code: "invalid_request" },
      });
      expect((await send("GET", "/v1/tasks/listed/export")).text).toBe(file);
      const again = await send("POST", "/v1/tasks/listed/import", { body: file, headers: NDJSON });
      expect(again.lines().at(-1)).toMatchObject({ created: 0, unchanged: 250, failed: 0 });

      const ids: string[] = [];
      for (let next: string | null = ""; next !== null; ) {
        const page = (await send("GET", `/v1/profiles/listed?limit=100&after=${next}`)).json();
        ids.push(...page.profiles.map((row: { profile: string }) => row.profile));
        next = page.next;
      }
      expect(ids).toEqual(profilesOf(250).map(({ id }) => id));
      const tasks = (await send("GET", "/v1/tasks?limit=1000")).json().tasks.map((row: { task: string }) => row.task);
      expect(tasks).toEqual([...tasks].sort());
      expect(tasks).toContain("listed");
      await send("DELETE", "/v1/tasks/listed?profiles=delete");
    });

    it("spreads profiles over two databases", async () => {
      const { limited } = servers;
      const key = await limited.makeKey();
      const task = taskFor(bundle, { name: "spread" });
      expect((await ask(limited, "PUT", "/v1/tasks/spread", { body: taskFile(task), key })).status).toBe(200);
      const file = profilesFile("spread", profilesOf(40), await headHashOf(task));
      const imported = await ask(limited, "POST", "/v1/tasks/spread/import", { body: file, headers: NDJSON, key });
      expect(imported.lines().at(-1)).toMatchObject({ created: 40, failed: 0 });
      expect((await ask(limited, "GET", "/v1/tasks/spread/export", { key })).text).toBe(file);
      const inputs = profilesOf(40).map(({ id: profile }) => ({ profile, text: "a text" }));
      const predicted = await ask(limited, "POST", "/v1/predict", { body: { task: "spread", inputs }, key });
      expect(predicted.json().predictions).toHaveLength(40);
      expect((await ask(limited, "DELETE", "/v1/tasks/spread?profiles=delete", { key })).status).toBe(200);
    });

    it.skipIf(name === "workerd")("keeps rows, keys and generations when the server starts again", async () => {
      await send("PUT", "/v1/profiles/demo/durable", { body: { masks: blob(21) } });
      const read = async () => (await send("GET", "/v1/profiles/demo/durable")).json();
      const before = await read();
      const token = (await send("POST", "/v1/profiles/demo/durable/token", { body: {} })).json().token;
      await servers.main.process?.stop();
      await servers.main.process?.start();
      expect(await read()).toEqual(before);
      const body = { task: "demo", profile: "durable", inputs: "a text" };
      expect((await send("POST", "/v1/predict", { body, key: token })).json().predictions).toHaveLength(1);
      expect((await send("DELETE", "/v1/profiles/demo/durable")).status).toBe(200);
    });

    it.skipIf(name === "workerd")("ends the work of its answers before the server ends", async () => {
      const { main } = servers;
      const id = "used-before-the-end";
      const key = await main.makeKey({ name: id });
      const unlock = await main.process?.lock();
      // That the key was used is written after the answer, and waits for the lock.
      expect((await ask(main, "GET", "/v1/tasks", { key })).status).toBe(200);
      const stopped = main.process?.stop();
      await unlock?.();
      await stopped;
      const used = (await main.keys()).find(({ name }) => name === id);
      await main.process?.start();
      expect(used?.lastUsedAt).not.toBeNull();
    });
  });
}
