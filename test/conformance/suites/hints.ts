import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { HINTS as WORKERS } from "../../../functions/platform/hints.ts";
import { HINTS as SERVER } from "../../../node/server/hints.ts";
import { isLongForm } from "../../support/long-form.ts";
import { type ServerRuntime, spawnServe, startServe } from "../../support/server.ts";
import { startWorker, TOKEN_KEYS } from "../../support/worker.ts";
import type { Servers } from "../conformance.ts";
import { platformOf } from "../exceptions.ts";
import { type Answer, ask } from "../http.ts";
import type { RuntimeName } from "../runtime.ts";
import { startRuntime } from "../start.ts";

/** Words of the other platform. */
const FOREIGN = {
  workers: /xpeft serve|--database|XPEFT_|npm run docs/,
  server: /wrangler|D1\b|\bbound\b|\bbind\b|\[vars\]|deploy/i,
};

/** Variables that a server rejects. A start takes seconds, so most are for the long form. */
const INVALID = [
  ["XPEFT_TOKEN_KEYS", "short"],
  ...(isLongForm ? [["XPEFT_CACHE_TTL_SECONDS", "soon"] as const, ["XPEFT_RATE_LIMIT", "many"] as const] : []),
] as const;

/** Runs `xpeft serve` to its end. @returns its exit status and what it says */
async function failedStart(runtime: ServerRuntime, args: string[], env: NodeJS.ProcessEnv): Promise<[number, string]> {
  const { child, output } = spawnServe(["--port", "0", "--database", "none", ...args], env, runtime);
  const [code] = await once(child, "close");
  return [code, output.stderr];
}

/** What whoever runs the service is told: only what they can do there. */
export function hints(name: RuntimeName, servers: Servers): void {
  const [own, foreign] = name === "workerd" ? [WORKERS, FOREIGN.workers] : [SERVER, FOREIGN.server];

  describe("hints", () => {
    function expectHint(answer: Answer, code: string, hint: string): void {
      expect([answer.status, answer.json().code, answer.json().hint]).toEqual([503, code, hint]);
    }

    it("of the platform name nothing of another one", () => {
      for (const [what, hint] of Object.entries(own))
        expect([what, hint]).toEqual([what, expect.not.stringMatching(foreign)]);
    });

    it("of a database that fails are the platform's, and its cause is logged only", async () => {
      await servers.main.sql("ALTER TABLE profiles RENAME TO gone");
      const body = { task: "demo", profile: "demo-000", inputs: "very secret words" };
      const answer = await ask(servers.main, "POST", "/v1/predict", { body });
      await servers.main.sql("ALTER TABLE gone RENAME TO profiles");
      expectHint(answer, "database_unavailable", own.query);
      expect(answer.text).not.toMatch(/profiles|SQL|secret/);
      const logged = () =>
        servers.main.logs().filter(({ level, code }) => level === "error" && code === "database_unavailable");
      await expect.poll(logged).toHaveLength(1);
      expect(JSON.stringify(logged())).not.toContain("secret");
    });

    it("of a service without a database are the platform's", async () => {
      const without = await startRuntime(name, { databases: 0 });
      onTestFinished(without.close);
      const body = { task: "demo", profile: "demo-000", inputs: "a text" };
      expectHint(await ask(without, "POST", "/v1/predict", { body }), "database_unavailable", own.unbound);
      expect((await ask(without, "GET", "/healthz")).json()).toMatchObject({ ready: true, database: false });
    });

    it.runIf(name === "workerd")("of an invalid setting are answers where a deploy cannot check it", async () => {
      const worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "soon" } });
      onTestFinished(worker.close);
      const answer = await worker.get("/v1/tasks");
      expect(await answer.json()).toMatchObject({ code: "invalid_setting", hint: own.setting });
    });

    it.each(INVALID)("of the invalid %s end a server before it listens", async (variable, value) => {
      if (name === "workerd") return;
      expect(await platformOf(name, "invalid setting")).toBe("the server does not start");
      const [code, said] = await failedStart(name, [], { [variable]: value });
      expect([code, said]).toEqual([1, expect.stringContaining(variable)]);
      expect(said).not.toMatch(foreign);
      expect(said).not.toContain("Ready");
    });

    it("of several processes are only where the runtime cannot share a port", async () => {
      if (name === "workerd") return expect(await platformOf(name, "`--workers`")).toBe("no");
      const tokens = { XPEFT_TOKEN_KEYS: TOKEN_KEYS };
      if ((await platformOf(name, "`--workers`")) === "yes") {
        const args = ["--port", "0", "--database", "none", "--workers", "2"];
        const server = await startServe(args, tokens, name);
        onTestFinished(async () => void (await server.stop()));
        return expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      }
      const [code, said] = await failedStart(name, ["--workers", "2"], tokens);
      expect([code, said]).toEqual([1, expect.stringContaining("This runtime cannot share a port among processes.")]);
    });
  });
}
