import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isLongForm } from "../support/long-form.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { type Ground, type Right, startGround, whatIsRight, withToken } from "./ground.ts";
import { TABLE, writeTable } from "./table.ts";
import { type Finding, tryFault } from "./try.ts";

/** How long each thing is broken. */
const MILLISECONDS = isLongForm ? 10_000 : 400;

/** `npm run faults` writes the table. */
const WRITES_TABLE = process.env.XPEFT_FAULTS_TABLE === "1";

const MAIN = "test/faults/worker.ts";

let ground: Ground;
let right: Right;
const findings: Finding[] = [];

beforeAll(async () => {
  // Another Worker than the one that breaks: whose memory a long text has made larger, it stays so.
  const reference = await startGround(MAIN, {});
  right = await whatIsRight(reference).finally(() => reference.worker.close());
  ground = await withToken(await startGround(MAIN, {}));
}, 120_000);
afterAll(() => ground.worker.close());

async function tried(fault: Fault): Promise<Finding> {
  if (!fault.cold && !fault.final) return await tryFault(fault, ground, right, MILLISECONDS);
  const own = await startGround(MAIN, fault.cold ? fault.broken : {});
  try {
    if (!fault.cold) await own.worker.get("/healthz");
    return await tryFault(fault, own, right, MILLISECONDS);
  } finally {
    await own.worker.close();
  }
}

it.each(FAULTS)(
  "$name: named, nothing wrong, nothing lost, over when it is mended",
  { timeout: 300_000 },
  async (fault) => {
    const finding = await tried(fault);
    for (const [load, outcomes] of finding.seen) {
      const others = [...outcomes].filter(([outcome]) => !fault.answers[load]?.includes(outcome));
      expect(Object.fromEntries(others), load).toEqual({});
      expect(outcomes.size, load).toBeGreaterThan(0);
    }
    // A fault that nobody feels would be none.
    const heard = new Set([...finding.seen.values()].flatMap((outcomes) => [...outcomes.keys()]));
    const codes = Object.values(fault.answers)
      .flat()
      .filter((outcome) => outcome !== "ok");
    expect([...heard]).toEqual(expect.arrayContaining(codes));
    expect(finding.slowestMs).toBeGreaterThan(fault.broken.database?.slowMs ?? 0);
    expect(finding.whole).not.toBe(false);
    expect(finding.wellAfterMs === null).toBe(fault.final === true);
    findings.push(finding);
  },
);

it("is told in a table", async () => {
  if (WRITES_TABLE) await writeTable(findings, MILLISECONDS);
  const table = await readFile(TABLE, "utf8");
  expect(FAULTS.map(({ name }) => name).filter((name) => !table.includes(`| ${name} |`))).toEqual([]);
});
