import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { readText } from "../../node/files.ts";
import { taskPattern } from "../../src/profiles/names.ts";
import { taskArgument } from "../arguments.ts";
import { EXIT } from "../errors.ts";
import { addJsonOption, type OutputOptions, printAnswer } from "../output.ts";
import { addServiceOptions, openService, type ServiceOptions } from "../service.ts";
import { writeOut } from "../write-out.ts";
import { describeCounts, downloadProfiles, type ImportCounts } from "./profiles-bulk.ts";
import { pushToWorker } from "./push-remote.ts";
import { exportTask, listTasks } from "./tasks.ts";

/** What a backup's files are, and what they must be: written last, so a backup without it is none. */
const INDEX = "backup.json";

/** Of a backup's own folder, whoever wrote its index. */
const pathSchema = z.string().regex(/^[a-z0-9_-]+\/(task\.json|profiles\.ndjson)$/);

const fileSchema = z.strictObject({ path: pathSchema, bytes: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const indexSchema = z.strictObject({
  format: z.literal("xpeft-backup/1"),
  createdAt: z.iso.datetime(),
  tasks: z.array(
    z.strictObject({
      task: z.string().regex(taskPattern),
      bundle: z.string(),
      profiles: z.int(),
      files: z.strictObject({ task: fileSchema, profiles: fileSchema }),
    }),
  ),
});

type Index = z.infer<typeof indexSchema>;
type BackedUp = Index["tasks"][number];
type Asked = ServiceOptions & OutputOptions;

async function fileOf(folder: string, path: string): Promise<z.infer<typeof fileSchema>> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(folder, path)), hash);
  const { size } = await stat(join(folder, path));
  return { path, bytes: size, sha256: hash.digest("hex") };
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The tasks that are asked for, or all. @throws CommandError if there is one that is not */
function chosen<One extends { readonly task: string }>(all: readonly One[], names: readonly string[], where: string) {
  const missing = names.find((name) => !all.some(({ task }) => task === name));
  if (missing === undefined) return names.length === 0 ? all : all.filter(({ task }) => names.includes(task));
  throw new CommandError(`${where} has no task "${missing}".`, `It has: ${all.map(({ task }) => task).join(", ")}.`);
}

const generationOf = async (options: ServiceOptions, name: string) =>
  (await Array.fromAsync(listTasks(openService(options)))).find(({ task }) => task === name)?.generation;

async function backup(folder: string, names: readonly string[], options: Asked): Promise<void> {
  if (await isThere(join(folder, INDEX)))
    throw new CommandError(`${folder} is a backup already.`, "Name a folder for this one.");
  await mkdir(folder, { recursive: true });
  const all = await Array.fromAsync(listTasks(openService(options)));
  const tasks: BackedUp[] = [];
  for (const { task, bundle, generation } of chosen(all, names, options.url)) {
    await mkdir(join(folder, task), { recursive: true });
    const paths = { task: `${task}/task.json`, profiles: `${task}/profiles.ndjson` };
    await exportTask(options, task, join(folder, paths.task));
    const profiles = await downloadProfiles(options, task, { path: join(folder, paths.profiles), prefix: "" });
    if ((await generationOf(options, task)) !== generation)
      throw new CommandError(
        `Task "${task}" was written meanwhile: its profiles may be of another head.`,
        "Run it again.",
      );
    const files = { task: await fileOf(folder, paths.task), profiles: await fileOf(folder, paths.profiles) };
    tasks.push({ task, bundle, profiles, files });
  }
  const index: Index = { format: "xpeft-backup/1", createdAt: new Date().toISOString(), tasks };
  await writeOut(join(folder, INDEX), [`${JSON.stringify(index, null, 2)}\n`]);
  const told = () => tasks.map(({ task, profiles }) => `${task}: ${profiles} profiles`).join("\n");
  printAnswer(options, index, () => `${told()}\n${folder} has them.`);
}

/** @throws CommandError if there is none, or it is damaged */
async function readIndex(folder: string): Promise<Index> {
  const path = join(folder, INDEX);
  if (!(await isThere(path)))
    throw new CommandError(
      `${folder} is no whole backup: it has no ${INDEX}.`,
      "Name a folder that xpeft backup wrote.",
    );
  const text = await readText(path);
  try {
    return indexSchema.parse(JSON.parse(text));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const where = issue ? `: ${issue.path.join(".")}` : "";
    throw new CommandError(`${path} is damaged${where}.`, "Take another copy of this backup, or an earlier one.", {
      cause,
    });
  }
}

/** @throws CommandError that names the first file which is not as it was written */
async function checkFiles(folder: string, tasks: readonly BackedUp[]): Promise<void> {
  for (const file of tasks.flatMap(({ files }) => [files.task, files.profiles])) {
    const path = join(folder, file.path);
    const found = (await isThere(path)) ? await fileOf(folder, file.path) : null;
    if (found?.bytes === file.bytes && found.sha256 === file.sha256) continue;
    throw new CommandError(
      `${path} ${found ? "is not what was backed up: its checksum is another" : "is missing"}.`,
      "Nothing was written. Take another copy of this backup, or an earlier one.",
    );
  }
}

interface RestoreOptions extends Asked {
  readonly check?: boolean;
  readonly replace?: boolean;
}

async function restore(folder: string, names: readonly string[], options: RestoreOptions): Promise<void> {
  const tasks = chosen((await readIndex(folder)).tasks, names, folder);
  await checkFiles(folder, tasks);
  if (options.check) {
    printAnswer(options, { tasks }, () => `${2 * tasks.length} files are as they were backed up.`);
    return;
  }
  const done: { task: string; generation: number; sums: ImportCounts }[] = [];
  for (const { task, files } of tasks) {
    const paths = { name: task, task: join(folder, files.task.path), profiles: join(folder, files.profiles.path) };
    const written = await pushToWorker(options, paths, options.replace ?? false);
    done.push({ task, ...written });
    if (!options.json) console.log(`${task}, generation ${written.generation}: ${describeCounts(written.sums)}`);
  }
  if (options.json) console.log(JSON.stringify(done));
  if (done.some(({ sums }) => sums.failed > 0)) process.exitCode = EXIT.failed;
}

const taskArguments = (name: string, others: readonly string[] = []) => [...others, taskArgument(name)];

/** `xpeft backup`: tasks and profiles of a running Worker as files, with their checksums. */
export function registerBackup(program: Command): void {
  const command = program
    .command("backup")
    .description("write tasks with their profiles to a folder, with checksums; keys and histories are not in it")
    .argument("<folder>", "where they go; it need not be there")
    .argument("[tasks...]", "which tasks; all, if none is named", taskArguments);
  addJsonOption(addServiceOptions(command)).action((folder: string, names: string[] | undefined, options: Asked) =>
    backup(folder, names ?? [], options),
  );
}

/** `xpeft restore`: writes back what a backup has. */
export function registerRestore(program: Command): void {
  const command = program
    .command("restore")
    .description("check a backup's files, then write its tasks and profiles to a running Worker of the same bundle")
    .argument("<folder>", "what xpeft backup wrote")
    .argument("[tasks...]", "which tasks; all, if none is named", taskArguments)
    .option("--check", "only check the files")
    .option("--replace", "delete profiles that are there, if their task has another head by now");
  addJsonOption(addServiceOptions(command)).action(
    (folder: string, names: string[] | undefined, options: RestoreOptions) => restore(folder, names ?? [], options),
  );
}
