import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { type BenchResult, meetsGoal } from "./bench.ts";
import { currentCommit } from "./git-commit.ts";
import { drawSvg } from "./plots.ts";
import { rounded } from "./statistics.ts";

const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

/** Saves a result: `NAME.json`, its plots, and its figures in `latest.json` beside those of the other benches. */
export async function saveResult(folder: string, name: string, result: BenchResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { table, plots = {}, skipped = [] } = result;
  const figures = Object.entries(result.figures).map(([key, figure]) => {
    const { value, unit, goal } = figure;
    return [key, { value: rounded(value), unit, goal, holds: meetsGoal(figure) ?? undefined }] as const;
  });
  await writeJson(join(folder, `${name}.json`), {
    command: `npm run bench -- ${name}`,
    commit: await currentCommit(),
    date: new Date().toISOString().slice(0, 10),
    machine: { processor: cpus()[0]?.model ?? "unknown", cores: cpus().length },
    figures: Object.fromEntries(figures),
    table,
    skipped,
  });
  for (const [plot, spec] of Object.entries(plots)) await writeFile(join(folder, `${plot}.svg`), await drawSvg(spec));

  const latestPath = join(folder, "latest.json");
  const latest = new Map<string, number>(
    existsSync(latestPath) ? Object.entries(JSON.parse(await readFile(latestPath, "utf8"))) : [],
  );
  for (const [key, { value }] of figures) latest.set(key, value);
  await writeJson(latestPath, Object.fromEntries([...latest].sort(([a], [b]) => a.localeCompare(b))));
}
