import type { Command } from "commander";
import { lines, type Problem, ProblemError } from "../../client/index.ts";
import { readJsonLines } from "../../node/text-lines.ts";
import { describeEach, EXIT } from "../errors.ts";
import { generationOption, type WorkerOptions, type WorkerOutputOptions } from "../options.ts";
import { printResult } from "../output.ts";
import { createProgressBar } from "../progress.ts";
import { openClient } from "../worker-client.ts";

/** Lines a request. D1 allows 1,000 queries a request, and an import needs three for 500 lines. */
const LINES_A_REQUEST = 100_000;

/** How many failed lines are reported one by one. */
const MAX_REPORTED = 20;

/** A line of the response: what happened to a submitted line. */
type ImportLine =
  | { readonly line: number; readonly status: "created" | "replaced" | "unchanged" }
  | { readonly line: number; readonly status: "failed"; readonly error: Problem };

/** How many lines of an import had each outcome. */
export interface ImportCounts {
  created: number;
  replaced: number;
  unchanged: number;
  failed: number;
}

/** A file of profiles to upload. */
interface Upload {
  /** Path of a `profiles.ndjson`. */
  readonly path: string;
  /** Whether the Worker only checks the lines and writes nothing. */
  readonly dryRun?: boolean;
  /** Generation that the task must have. */
  readonly ifTaskGeneration?: number;
}

/** Sends the lines of a `profiles.ndjson` to a running Worker, and reports failed lines on standard error. */
export async function uploadProfiles(options: WorkerOptions, task: string, upload: Upload): Promise<ImportCounts> {
  const { path, dryRun = false, ifTaskGeneration } = upload;
  const allLines = await Array.fromAsync(readJsonLines(path));
  const counts: ImportCounts = { created: 0, replaced: 0, unchanged: 0, failed: 0 };
  const progress = createProgressBar("profiles", allLines.length);

  const describe = describeEach();
  function reportFailure(lineNumber: number, error: Problem): void {
    if (counts.failed <= MAX_REPORTED) progress.log(`${path}:${lineNumber}: ${describe(new ProblemError(error))}`);
    else if (counts.failed === MAX_REPORTED + 1) progress.log("… and more.");
  }

  try {
    for (let start = 0; start < allLines.length; start += LINES_A_REQUEST) {
      const submitted = allLines.slice(start, start + LINES_A_REQUEST);
      const response = openClient(options).v1.tasks[":task"].import.$post(
        { param: { task }, query: { dryRun: dryRun ? "true" : "false" } },
        {
          headers: {
            "content-type": "application/x-ndjson",
            ...(ifTaskGeneration !== undefined && { "if-match": `"${ifTaskGeneration}"` }),
          },
          init: { body: submitted.map(({ line }) => `${line}\n`).join("") },
        },
      );
      for await (const outcome of lines<ImportLine | { done: true }>(response)) {
        if (!("status" in outcome)) continue;
        counts[outcome.status]++;
        progress.increment(1);
        if (outcome.status === "failed")
          reportFailure(submitted[outcome.line - 1]?.number ?? outcome.line, outcome.error);
      }
    }
  } finally {
    progress.stop();
  }
  return counts;
}

/** Returns the counts of an import as a sentence. */
export function describeCounts({ created, replaced, unchanged, failed }: ImportCounts, dryRun = false): string {
  return `${dryRun ? "Dry run: " : ""}${created} created, ${replaced} replaced, ${unchanged} unchanged, ${failed} failed.`;
}

interface PushOptions extends WorkerOutputOptions {
  readonly dryRun?: boolean;
  readonly ifTaskGeneration?: number;
}

/** `xpeft profiles push TASK FILE`. */
export function registerPushProfiles(command: Command): void {
  command
    .argument("<file>", "a profiles.ndjson, learnt with the task's current head; plain or gzip")
    .option("--dry-run", "check every line, but write nothing")
    .addOption(generationOption("--if-task-generation", "task"))
    .action(async (task: string, path: string, options: PushOptions) => {
      const counts = await uploadProfiles(options, task, { path, ...options });
      const { dryRun = false } = options;
      printResult(options, { task, dryRun, ...counts }, () => describeCounts(counts, dryRun));
      if (counts.failed > 0) process.exitCode = EXIT.failed;
    });
}
