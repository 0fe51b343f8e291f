// `npm run bench [-- NAME...]`: what is measured, each by a bench of its own.

import { SingleBar } from "cli-progress";
import { Option, program } from "commander";
import { table as drawTable } from "table";
import { describeError } from "../cli/errors.ts";
import { type Bench, type Goal, holds, type Line, type Outcome } from "./bench.ts";
import { benches } from "./benches/index.ts";
import { keep } from "./results.ts";
import { rounded } from "./statistics.ts";

const RESULTS = "bench/results";

function find(names: readonly string[]): readonly Bench[] {
  if (names.length === 0) return benches;
  return names.map((name) => {
    const found = benches.find((bench) => bench.name === name);
    if (!found)
      throw new Error(`There is no bench "${name}". There are: ${benches.map((one) => one.name).join(", ")}.`);
    return found;
  });
}

async function measure(bench: Bench, quick: boolean): Promise<Outcome> {
  const bar = new SingleBar({
    format: `${bench.name} {bar} {percentage}% {what}`,
    noTTYOutput: false,
    hideCursor: true,
  });
  bar.start(1, 0, { what: "" });
  try {
    return await bench.run({
      quick,
      progress(done, total, what) {
        bar.setTotal(total);
        bar.update(done, { what });
      },
    });
  } finally {
    bar.stop();
  }
}

const goalText = (goal: Goal | undefined) =>
  goal === undefined ? "" : "most" in goal ? `at most ${goal.most}` : `at least ${goal.least}`;

const verdict = (held: boolean | null) => (held === null ? "" : held ? "holds" : "MISSED");

function show(lines: readonly Line[]): void {
  const heads = [...new Set(lines.flatMap((line) => Object.keys(line)))];
  const cell = (value: string | number | undefined) => (typeof value === "number" ? rounded(value) : (value ?? ""));
  console.log(drawTable([heads, ...lines.map((line) => heads.map((head) => cell(line[head])))]));
}

program
  .name("npm run bench --")
  .description("Measures the Worker in workerd, each figure against what it is to be. The folder gets JSON and plots.")
  .argument("[names...]", "benches to run; all if none is named")
  .addOption(
    new Option("--quick", "runs each for seconds only: shows that it works, its figures are not worth keeping"),
  )
  .option("--out <folder>", `where results go (default: ${RESULTS}; with --quick, nowhere)`)
  .addHelpText("after", `\nBenches:\n${benches.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n")}`)
  .action(async (names: string[], { quick = false, out }: { quick?: boolean; out?: string }) => {
    const folder = out ?? (quick ? undefined : RESULTS);
    for (const bench of find(names)) {
      const outcome = await measure(bench, quick);
      // Kept at once, so that a run that is broken off loses only the bench that it was at.
      if (folder) await keep(folder, bench.name, outcome);
      console.log(`\n${bench.name}: ${bench.about}`);
      show(outcome.table);
      for (const reason of outcome.skipped ?? []) console.log(`Not measured: ${reason}`);
      show(
        Object.entries(outcome.figures).map(([figure, { value, unit, goal }]) => ({
          figure,
          value,
          unit,
          goal: goalText(goal),
          "": verdict(holds({ value, unit, ...(goal && { goal }) })),
        })),
      );
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
