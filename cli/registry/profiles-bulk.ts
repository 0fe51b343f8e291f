import type { Command } from "commander";
import { type Client, lines, type Problem } from "../../client/index.ts";
import { type NumberedLine, readTextLines } from "../../node/files.ts";
import { parseWholeNumber, taskArgument } from "../arguments.ts";
import { EXIT } from "../errors.ts";
import { hintFor } from "../hints.ts";
import { type OutputOptions, printAnswer } from "../output.ts";
import { createProgressBar } from "../progress.ts";
import { openService, type ServiceOptions } from "../service.ts";
import { writeOut } from "../write-out.ts";

/** Lines of one request: D1 takes 1,000 queries of it, and 500 lines are three, or two where they are read. */
const LINES_A_REQUEST = 100_000;

/** Failed lines that are told one by one. */
const MOST_TOLD = 20;

/** What became of a line, of an import, or why the stream broke off. */
type Imported =
  | { readonly line: number; readonly status: "created" | "replaced" | "unchanged" }
  | { readonly line: number; readonly status: "failed"; readonly error: Problem };

/** How many lines of an import came to what. */
export interface ImportCounts {
  created: number;
  replaced: number;
  unchanged: number;
  failed: number;
}

/** A line of an export: a profile as profiles.ndjson has it. */
export interface ProfileLine {
  readonly profile: string;
}

/** Where profiles come from and which head they were learnt with. */
export interface Import {
  readonly path: string;
  readonly dryRun?: boolean;
  /** The generation that the task must be at. */
  readonly ifTaskGeneration?: number;
}

/**
 * Sends the lines of a profiles.ndjson to a running Worker, and tells on stderr which of them failed.
 *
 * @returns how many lines came to what
 */
export async function uploadProfiles(options: ServiceOptions, task: string, asked: Import): Promise<ImportCounts> {
  const { path, dryRun = false, ifTaskGeneration } = asked;
  const numbered = await readTextLines(path);
  const sums: ImportCounts = { created: 0, replaced: 0, unchanged: 0, failed: 0 };
  const progress = createProgressBar("profiles", numbered.length);
  try {
    for (let start = 0; start < numbered.length; start += LINES_A_REQUEST) {
      const sent = numbered.slice(start, start + LINES_A_REQUEST);
      const response = openService(options).v1.tasks[":task"].import.$post(
        { param: { task }, query: { dryRun: dryRun ? "true" : "false" } },
        {
          headers: {
            "content-type": "application/x-ndjson",
            ...(ifTaskGeneration !== undefined && { "if-match": `"${ifTaskGeneration}"` }),
          },
          init: { body: sent.map(({ line }) => `${line}\n`).join("") },
        },
      );
      for await (const one of lines<Imported | { done: true }>(response)) {
        if (!("status" in one)) continue;
        sums[one.status]++;
        progress.add(1);
        if (one.status === "failed") tell(one, sent, path, sums.failed, progress.say);
      }
    }
  } finally {
    progress.end();
  }
  return sums;
}

function tell(
  { line, error }: { readonly line: number; readonly error: Problem },
  sent: readonly NumberedLine[],
  path: string,
  failed: number,
  say: (line: string) => void,
): void {
  if (failed <= MOST_TOLD)
    say(`${path}:${sent[line - 1]?.number ?? line}: ${error.code}: ${error.detail} ${hintFor(error)}`);
  if (failed === MOST_TOLD + 1) say("… and more.");
}

/** Sums in words. */
export function describeCounts({ created, replaced, unchanged, failed }: ImportCounts, dryRun = false): string {
  return `${dryRun ? "Would be: " : ""}${created} created, ${replaced} replaced, ${unchanged} unchanged, ${failed} failed.`;
}

interface PushOptions extends ServiceOptions, OutputOptions {
  readonly dryRun?: boolean;
  readonly ifTaskGeneration?: number;
}

/** `xpeft profiles push TASK FILE`. */
export function registerPushProfiles(command: Command): void {
  command
    .argument("<file>", "profiles.ndjson, learnt with the task's head as it is; zipped if its name ends in .gz")
    .option("--dry-run", "only tell what would be done")
    .option("--if-task-generation <n>", "only if the task is at this generation", parseWholeNumber(1))
    .action(async (task: string, path: string, options: PushOptions) => {
      const sums = await uploadProfiles(options, task, { path, ...options });
      printAnswer(options, { task, dryRun: options.dryRun ?? false, ...sums }, () =>
        describeCounts(sums, options.dryRun),
      );
      if (sums.failed > 0) process.exitCode = EXIT.failed;
    });
}

/** All of a task's profiles that the caller reaches, as an export has them, in as many requests as that takes. */
export async function* exportedProfiles(client: Client, task: string, prefix: string): AsyncGenerator<ProfileLine> {
  for (let after = "", isWhole = false; !isWhole; ) {
    const query = { prefix, after, limit: String(LINES_A_REQUEST) };
    let count = 0;
    for await (const line of lines<ProfileLine>(client.v1.tasks[":task"].export.$get({ param: { task }, query }))) {
      yield line;
      count++;
      after = line.profile;
    }
    isWhole = count < LINES_A_REQUEST;
  }
}

/**
 * Writes a task's profiles to a file, or to standard output for `-`, as a profiles.ndjson.
 *
 * @returns how many there are
 */
export async function downloadProfiles(
  options: ServiceOptions,
  task: string,
  { path, prefix }: { readonly path: string; readonly prefix: string },
): Promise<number> {
  const progress = createProgressBar("profiles");
  let count = 0;
  async function* all(): AsyncGenerator<string> {
    for await (const line of exportedProfiles(openService(options), task, prefix)) {
      progress.add(1);
      count++;
      yield `${JSON.stringify(line)}\n`;
    }
  }
  try {
    await writeOut(path, all());
  } finally {
    progress.end();
  }
  return count;
}

interface PullOptions extends ServiceOptions {
  readonly prefix: string;
  readonly out: string;
}

/** `xpeft profiles pull TASK`. */
export function registerPullProfiles(command: Command): void {
  command
    .argument("<task>", "the task", taskArgument)
    .option("--prefix <prefix>", "only those whose ids start so", "")
    .option("--out <file>", "where they go; - is standard output", "-")
    .action(async (task: string, { prefix, out, ...options }: PullOptions) => {
      await downloadProfiles(options, task, { path: out, prefix });
    });
}
