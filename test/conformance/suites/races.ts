import { describe, expect, it } from "vitest";
import { isLongForm } from "../../support/long-form.ts";
import { masksOf, profilesFile, profilesOf } from "../../support/rows.ts";
import type { Servers } from "../conformance.ts";
import { ask, NDJSON } from "../http.ts";
import type { RuntimeName } from "../runtime.ts";

const [ROUNDS, WRITERS] = isLongForm ? [100, 12] : [5, 6];
const BURST = isLongForm ? 1000 : 100;
const [IMPORTS, LINES] = isLongForm ? [8, 1000] : [4, 100];

/** Callers that write at the same moment. */
export function races(_: RuntimeName, servers: Servers): void {
  describe("races", () => {
    it(`have one winner of ${WRITERS} writes with the same If-Match`, async () => {
      const path = "/v1/profiles/demo/raced";
      const blobs = Array.from({ length: WRITERS }, (_, seed) => Buffer.from(masksOf(seed + 50)).toString("base64"));
      expect((await ask(servers.main, "PUT", path, { body: { masks: blobs[0] } })).status).toBe(200);
      for (let generation = 1; generation <= ROUNDS; generation++) {
        const headers = { "if-match": `"${generation}"` };
        const raced = await Promise.all(
          blobs.map((masks) => ask(servers.main, "PUT", path, { body: { masks }, headers })),
        );
        const won = raced.flatMap(({ status }, place) => (status === 200 ? [place] : []));
        expect(won).toHaveLength(1);
        const lost = raced.filter(({ status }) => status !== 200);
        expect(
          new Set(lost.map((answer) => `${answer.status} ${answer.json().code} ${answer.json().generation}`)),
        ).toEqual(new Set([`412 generation_mismatch ${generation + 1}`]));
        const stored = (await ask(servers.main, "GET", path)).json();
        expect(stored).toMatchObject({ generation: generation + 1, masks: blobs[won[0] ?? -1] });
      }
    });

    it(`of ${WRITERS} writers that create the same row have one winner`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const raced = await Promise.all(
          Array.from({ length: WRITERS }, (_, seed) =>
            ask(servers.main, "PUT", `/v1/profiles/demo/new-${round}`, {
              body: { masks: Buffer.from(masksOf(seed)).toString("base64") },
              headers: { "if-none-match": "*" },
            }),
          ),
        );
        expect(raced.map(({ status }) => status).sort()).toEqual([200, ...Array(WRITERS - 1).fill(412)]);
      }
    });

    it(`of ${BURST} requests at once have an answer each`, async () => {
      const answers = await Promise.all(
        Array.from({ length: BURST }, (_, number) =>
          ask(servers.main, "POST", "/v1/predict", {
            body: { task: "demo", profile: "demo-000", inputs: `Text ${number}` },
          }),
        ),
      );
      const kinds = new Set(answers.map((answer) => answer.json().code ?? answer.status));
      // A service at capacity says so.
      expect([...kinds].filter((kind) => kind !== 200 && kind !== "overloaded")).toEqual([]);
      expect(kinds).toContain(200);
    });

    it(`of ${IMPORTS} imports lose nothing`, async () => {
      const all = profilesOf(IMPORTS * LINES).map((profile, index) => ({ ...profile, id: `import-${1e6 + index}` }));
      const imports = await Promise.all(
        Array.from({ length: IMPORTS }, async (_, part) => {
          // Half of each import's rows are also the next one's.
          const body = profilesFile("demo", [...all.slice(part * LINES, (part + 1.5) * LINES)]);
          for (;;) {
            const answer = await ask(servers.main, "POST", "/v1/tasks/demo/import", { body, headers: NDJSON });
            // Together they may be more than one caller's share of the bodies in flight.
            if (answer.status !== 503) return answer;
            expect(answer.json().code).toBe("overloaded");
          }
        }),
      );
      const sums = imports.map((answer) => answer.lines().at(-1));
      expect(sums.map(({ done, failed }) => [done, failed])).toEqual(sums.map(() => [true, 0]));
      expect(sums.reduce((total, { created }) => total + created, 0)).toBe(all.length);
      const exported = (await ask(servers.main, "GET", "/v1/tasks/demo/export")).lines();
      const stored = exported.filter(({ profile }) => profile.startsWith("import-"));
      expect(stored.map(({ profile, masks }) => [profile, masks])).toEqual(
        all.map(({ id, masks }) => [id, Buffer.from(masks).toString("base64")]),
      );
    });
  });
}
