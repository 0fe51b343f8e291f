import { join } from "node:path";
import { type Command, Option } from "commander";
import { exampleText } from "../command-line.ts";
import { EXIT } from "../errors.ts";
import { addWorkerOutputOptions, type WorkerOutputOptions } from "../options.ts";
import { printResult } from "../output.ts";
import { collectTaskNames } from "./backup.ts";
import { checkFiles, readIndex, selectTasks } from "./backup-files.ts";
import { describeCounts, type ImportCounts } from "./profiles-push.ts";
import { pushToWorker } from "./push-to-worker.ts";

interface RestoreOptions extends WorkerOutputOptions {
  readonly check?: boolean;
  readonly replace?: boolean;
}

/** A restored task, as `--json` prints it. */
interface RestoredTask {
  readonly task: string;
  readonly generation: number;
  readonly sums: ImportCounts;
}

async function restore(folder: string, names: readonly string[], options: RestoreOptions): Promise<void> {
  const tasks = selectTasks((await readIndex(folder)).tasks, names, folder);
  await checkFiles(folder, tasks);
  if (options.check) {
    printResult(options, { tasks }, () => `All ${2 * tasks.length} files match their checksums.`);
    return;
  }
  const restored: RestoredTask[] = [];
  for (const { task, files } of tasks) {
    const paths = { name: task, task: join(folder, files.task.path), profiles: join(folder, files.profiles.path) };
    const { generation, counts } = await pushToWorker(options, paths, options.replace ?? false);
    restored.push({ task, generation, sums: counts });
    if (!options.json) console.log(`${task}, generation ${generation}: ${describeCounts(counts)}`);
  }
  if (options.json) console.log(JSON.stringify(restored));
  if (restored.some(({ sums }) => sums.failed > 0)) process.exitCode = EXIT.failed;
}

/** `xpeft restore`: writes the tasks and profiles of a backup to a running Worker. */
export function registerRestore(program: Command): void {
  const command = program
    .command("restore")
    .description("check a backup's files, then write its tasks and profiles to a Worker with the same bundle")
    .argument("<folder>", "folder that xpeft backup wrote")
    .argument("[tasks...]", "names of tasks (default: all)", collectTaskNames)
    .addOption(new Option("--check", "only check the files; write nothing").conflicts("replace"))
    .option("--replace", "delete existing profiles if they were learnt with another head")
    .addHelpText("after", exampleText("restore backups/monday --check", "restore backups/monday news"));
  addWorkerOutputOptions(command, ["admin", "write"]).action(
    (folder: string, names: string[] | undefined, options: RestoreOptions) => restore(folder, names ?? [], options),
  );
}
