import { describe, expect, it } from "vitest";
import { examplesOf } from "../../support/examples.ts";
import { LIMITS, type Servers } from "../conformance.ts";
import { type Answer, ask } from "../http.ts";
import type { RuntimeName } from "../runtime.ts";

const minuteNow = () => Math.floor(Date.now() / 60_000);

/** Limits of a caller. */
export function limits(_: RuntimeName, servers: Servers): void {
  describe("limits", () => {
    const list = (key: string) => ask(servers.limited, "GET", "/v1/tasks", { key });
    const learn = (key: string) =>
      ask(servers.limited, "POST", "/v1/profiles/nothing/x/learn", { body: { examples: examplesOf(2) }, key });

    /** Sends requests with a new key until one is rejected. @returns how many were not, and the rejection */
    async function untilRejected(
      send: (key: string) => Promise<Answer>,
      limit: number,
    ): Promise<[number, Answer, string]> {
      for (;;) {
        const key = await servers.limited.makeKey();
        const minute = minuteNow();
        let answered = 0;
        let answer = await send(key);
        for (; answer.status !== 429 && answered <= limit; answered++) answer = await send(key);
        // The Worker's limiter counts by minutes of the clock: one that ended meanwhile allows more.
        if (minute === minuteNow()) return [answered, answer, key];
      }
    }

    it(`reject a caller after exactly ${LIMITS.requests} requests, and no other caller`, async () => {
      const [answered, rejected, key] = await untilRejected(list, LIMITS.requests);
      expect([answered, rejected.status, rejected.headers["retry-after"]]).toEqual([LIMITS.requests, 429, "60"]);
      expect(rejected.json()).toMatchObject({ code: "rate_limited", error_type: "Overloaded" });
      expect((await list(await servers.limited.makeKey())).status).toBe(200);
      expect((await list(key)).status).toBe(429);
    });

    it(`reject a caller after exactly ${LIMITS.learning} learning runs, which may still list`, async () => {
      const [answered, rejected, key] = await untilRejected(learn, LIMITS.learning);
      expect([answered, rejected.status, rejected.headers["retry-after"]]).toEqual([LIMITS.learning, 429, "60"]);
      expect(rejected.json()).toMatchObject({ code: "rate_limited" });
      expect((await list(key)).status).toBe(200);
    });

    it("count guesses of keys by address", async () => {
      const guess = () => ask(servers.limited, "GET", "/v1/tasks", { key: `xpk_0123456789abcdef_${"A".repeat(43)}` });
      const statuses: number[] = [];
      for (let count = 0; count <= 2 * LIMITS.requests; count++) statuses.push((await guess()).status);
      expect(new Set(statuses)).toEqual(new Set([401, 429]));
    });
  });
}
