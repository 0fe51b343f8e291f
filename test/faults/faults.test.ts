import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { WorkerEngine } from "../support/engine-choice.ts";
import { isLongForm } from "../support/long-form.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { TABLE, writeTable } from "./table.ts";
import { type CorrectAnswers, collectAnswers, startTarget, type Target, withToken } from "./target.ts";
import { type Finding, tryFault } from "./try.ts";

/** How long each fault lasts. */
const MILLISECONDS = isLongForm ? 10_000 : 200;

/** `npm run faults` writes the table. */
const WRITES_TABLE = process.env.XPEFT_FAULTS_TABLE === "1";

const MAIN = "test/faults/worker.ts";

let target: Target;
let correct: Record<WorkerEngine, CorrectAnswers>;
const findings: Finding[] = [];

beforeAll(async () => {
  // A separate Worker: a long text grows memory for good, which would change the faults of memory.
  const answersBy = async (engine: WorkerEngine) => {
    const healthy = await startTarget(MAIN, {}, engine);
    return await collectAnswers(healthy).finally(() => healthy.worker.close());
  };
  correct = { kernels: await answersBy("kernels"), onnxruntime: await answersBy("onnxruntime") };
  target = await withToken(await startTarget(MAIN, {}));
});
afterAll(() => target.worker.close());

async function runFault(fault: Fault): Promise<Finding> {
  const { engine = "kernels" } = fault;
  if (!fault.cold && !fault.final) return await tryFault(fault, target, correct[engine], MILLISECONDS);
  const separate = await startTarget(MAIN, fault.cold ? fault.broken : {}, engine);
  try {
    if (!fault.cold) await separate.worker.get("/healthz");
    return await tryFault(fault, separate, correct[engine], MILLISECONDS);
  } finally {
    await separate.worker.close();
  }
}

it.each(FAULTS)(
  "$name: gives only expected errors, no wrong answer, no lost write, and recovers after repair",
  async (fault) => {
    const finding = await runFault(fault);
    for (const [load, outcomes] of finding.seen) {
      const others = [...outcomes].filter(([outcome]) => !fault.answers[load]?.includes(outcome));
      expect(Object.fromEntries(others), load).toEqual({});
      expect(outcomes.size, load).toBeGreaterThan(0);
    }
    // A fault without any effect would test nothing.
    const heard = new Set([...finding.seen.values()].flatMap((outcomes) => [...outcomes.keys()]));
    const codes = Object.values(fault.answers)
      .flat()
      .filter((outcome) => outcome !== "ok");
    expect([...heard]).toEqual(expect.arrayContaining(codes));
    expect(finding.slowestMs).toBeGreaterThan(fault.broken.database?.slowMs ?? 0);
    expect(finding.writesStored).not.toBe(false);
    expect(finding.recoveredAfterMs === null).toBe(fault.final === true);
    findings.push(finding);
  },
);

it("is listed in the document's table", async () => {
  if (WRITES_TABLE) await writeTable(findings, MILLISECONDS);
  const table = await readFile(TABLE, "utf8");
  expect(FAULTS.map(({ name }) => name).filter((name) => !table.includes(`| ${name} |`))).toEqual([]);
});
