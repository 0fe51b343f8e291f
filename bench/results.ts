import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { holds, type Outcome } from "./bench.ts";
import { commitNow } from "./commit.ts";
import { drawSvg } from "./plots.ts";
import { rounded } from "./statistics.ts";

const LATEST = "latest.json";

/** Figures by name, as `latest.json` has them; none if there is no such file yet. */
export async function readLatest(folder: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(join(folder, LATEST), "utf8")) as Record<string, number>;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}

const inOrder = (record: Record<string, number>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => a.localeCompare(b)));

const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

/**
 * Keeps what a bench found: `NAME.json`, its plots, and its figures in `latest.json`, beside those of the other benches.
 */
export async function keep(folder: string, name: string, outcome: Outcome): Promise<void> {
  await mkdir(folder, { recursive: true });
  const figures = Object.fromEntries(
    Object.entries(outcome.figures).map(([figure, { value, unit, goal }]) => [
      figure,
      { value: rounded(value), unit, goal, holds: holds({ value, unit, ...(goal && { goal }) }) ?? undefined },
    ]),
  );
  const { table, skipped = [] } = outcome;
  const machine = { processor: cpus()[0]?.model ?? "unknown", cores: cpus().length };
  const command = `npm run bench -- ${name}`;
  await writeJson(join(folder, `${name}.json`), {
    command,
    commit: await commitNow(),
    date: new Date().toISOString().slice(0, 10),
    machine,
    figures,
    table,
    skipped,
  });
  for (const [plot, spec] of Object.entries(outcome.plots ?? {})) {
    await writeFile(join(folder, `${plot}.svg`), await drawSvg(spec));
  }
  const found = Object.entries(outcome.figures).map(([key, { value }]) => [key, rounded(value)]);
  const latest = { ...(await readLatest(folder)), ...Object.fromEntries(found) };
  await writeJson(join(folder, LATEST), inOrder(latest));
}
