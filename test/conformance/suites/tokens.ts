import { describe, expect, it } from "vitest";
import type { Servers } from "../conformance.ts";
import { ask } from "../http.ts";
import type { RuntimeName } from "../runtime.ts";

/** What expires by the clock, and what is signed. */
export function tokens(_: RuntimeName, servers: Servers): void {
  describe("keys and tokens", () => {
    const BODY = { task: "demo", profile: "demo-000", inputs: "Some text.", logits: true };
    const make = async (body: object) =>
      (await ask(servers.main, "POST", "/v1/profiles/demo/demo-000/token", { body })).json();
    const predict = (key: string) => ask(servers.main, "POST", "/v1/predict", { body: BODY, key });

    it("answer as the profile does, and expire by the client's clock", async () => {
      const before = Date.now();
      const { token, expiresAt, bytes } = await make({ ttlSeconds: 60 });
      const seconds = (new Date(expiresAt).getTime() - before) / 1000;
      expect([seconds > 55, seconds < 65, bytes]).toEqual([true, true, token.length]);
      const [mine] = (await predict(servers.main.adminKey)).json().predictions;
      for (const carried of [token, (await make({ carry: "all" })).token])
        expect((await predict(carried)).json().predictions).toEqual([{ ...mine, masks: "token" }]);
    });

    it("are rejected if they are forged, of another profile, or for another route", async () => {
      const { token } = await make({});
      const [head, , signature] = token.split(".");
      const claims = Buffer.from(JSON.stringify({ sub: "demo-001" })).toString("base64url");
      for (const forged of [`${head}.${claims}.${signature}`, `${token.slice(0, -4)}AAAA`]) {
        const answer = await predict(forged);
        expect([answer.status, answer.json().code, answer.headers["www-authenticate"]]).toEqual([
          401,
          "token_forged",
          "Bearer",
        ]);
      }
      const other = await ask(servers.main, "POST", "/v1/predict", {
        body: { ...BODY, profile: "demo-001" },
        key: token,
      });
      expect([other.status, other.json().code]).toEqual([403, "token_other_profile"]);
      expect((await ask(servers.main, "GET", "/v1/tasks", { key: token })).json().code).toBe("key_invalid");
    });

    it.each([
      [95, 401, "token_malformed"],
      [97, 413, "token_too_large"],
    ])("of %i KiB arrive in the header", async (kib, status, code) => {
      const answer = await predict(`a.${"b".repeat(kib * 1024)}.c`);
      expect([answer.status, answer.json().code]).toEqual([status, code]);
    });

    it("are rejected when they have expired, even if they are cached", async () => {
      const key = await servers.limited.makeKey({ expiresAt: new Date(Date.now() + 2000) });
      const read = async () => {
        const answer = await ask(servers.limited, "GET", "/v1/hf/nothing/x/info", { key });
        return `${answer.status} ${answer.json().code}`;
      };
      const statuses: string[] = [await read()];
      await expect
        .poll(async () => statuses.push(await read()) && statuses.at(-1), { interval: 500 })
        .toBe("401 key_expired");
      // A slow machine may have seen nothing before.
      expect(["404 unknown_task", "401 key_expired"]).toContain(statuses[0]);
    });
  });
}
