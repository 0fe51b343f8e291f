// `npm run bench [-- NAME...]`: runs benches, prints their tables and figures, and saves them.
import { SingleBar } from "cli-progress";
import { Argument, program } from "commander";
import { table as formatTable } from "table";
import { describeError } from "../cli/errors.ts";
import { type Bench, type BenchResult, type Goal, meetsGoal, type Row } from "./bench.ts";
import { benches } from "./benches/index.ts";
import { saveResult } from "./results.ts";
import { rounded } from "./statistics.ts";

const RESULTS = "bench/results";
const names = benches.map(({ name }) => name);

async function runBench({ name, run }: Bench, quick: boolean): Promise<BenchResult> {
  const bar = new SingleBar({ format: `${name} {bar} {percentage}% {step}`, noTTYOutput: false, hideCursor: true });
  bar.start(1, 0, { step: "" });
  try {
    return await run({
      quick,
      progress(done, total, step) {
        bar.setTotal(total);
        bar.update(done, { step });
      },
    });
  } finally {
    bar.stop();
  }
}

const goalText = (goal: Goal | undefined) =>
  goal === undefined ? "" : "most" in goal ? `at most ${goal.most}` : `at least ${goal.least}`;

const verdict = (met: boolean | null) => (met === null ? "" : met ? "met" : "MISSED");

function print(rows: readonly Row[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: string | number | undefined) => (typeof value === "number" ? rounded(value) : (value ?? ""));
  console.log(formatTable([columns, ...rows.map((row) => columns.map((column) => cell(row[column])))]));
}

program
  .name("npm run bench --")
  .description("Measures the Worker in workerd and compares each figure with its goal. Saves JSON and plots.")
  .addArgument(new Argument("[names...]", "benches to run (default: all)").choices(names))
  .option("--quick", "run each bench for seconds, to show that it works; the figures mean nothing")
  .option("--out <folder>", `folder for results (default: ${RESULTS}; with --quick, none)`)
  .addHelpText("after", () => {
    const width = Math.max(...names.map(({ length }) => length)) + 2;
    return `\nBenches:\n${benches.map((bench) => `  ${bench.name.padEnd(width)}${bench.description}`).join("\n")}`;
  })
  .action(async (chosen: string[], { quick = false, out }: { quick?: boolean; out?: string }) => {
    const folder = out ?? (quick ? undefined : RESULTS);
    for (const bench of benches.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
      const result = await runBench(bench, quick);
      // Saved at once: interrupting the run loses only the bench that is running.
      if (folder) await saveResult(folder, bench.name, result);
      console.log(`\n${bench.name}: ${bench.description}`);
      print(result.table);
      for (const reason of result.skipped ?? []) console.log(`Skipped: ${reason}`);
      const figures = Object.entries(result.figures).map(([name, figure]) => {
        const { value, unit, goal } = figure;
        return { figure: name, value, unit, goal: goalText(goal), "": verdict(meetsGoal(figure)) };
      });
      print(figures);
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
