import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { readText } from "../../node/files.ts";
import { taskPattern } from "../../src/profiles/names.ts";

/** Name of the index, which lists a backup's files. It is written last: a folder without it is not a complete backup. */
export const INDEX = "backup.json";

/** Paths stay inside the backup's folder, whoever wrote the index. */
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

/** The index of a backup. */
export type BackupIndex = z.infer<typeof indexSchema>;

/** A task of a backup. */
export type BackupTask = BackupIndex["tasks"][number];

/** Returns a file's size in bytes and SHA-256, as the index has them. */
export async function measureFile(folder: string, path: string): Promise<z.infer<typeof fileSchema>> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(folder, path)), hash);
  const { size } = await stat(join(folder, path));
  return { path, bytes: size, sha256: hash.digest("hex") };
}

/**
 * Returns the tasks with the given names, or all tasks if no name is given.
 *
 * @param owner the Worker or the folder that has the tasks, for errors
 * @throws CommandError if a name is unknown
 */
export function selectTasks<T extends { readonly task: string }>(
  tasks: readonly T[],
  names: readonly string[],
  owner: string,
): readonly T[] {
  const missing = names.find((name) => !tasks.some(({ task }) => task === name));
  if (missing === undefined) return names.length === 0 ? tasks : tasks.filter(({ task }) => names.includes(task));
  throw new CommandError(
    `${owner} has no task "${missing}".`,
    `Its tasks are: ${tasks.map(({ task }) => task).join(", ")}.`,
  );
}

/** Reads the index of a backup. @throws CommandError if it is missing or damaged */
export async function readIndex(folder: string): Promise<BackupIndex> {
  const path = join(folder, INDEX);
  if (!existsSync(path))
    throw new CommandError(
      `${folder} is not a complete backup: it has no ${INDEX}.`,
      "Name a folder where a backup ended without an error.",
    );
  const text = await readText(path);
  try {
    return indexSchema.parse(JSON.parse(text));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const field = issue ? ` at "${issue.path.join(".")}"` : "";
    throw new CommandError(`${path} is damaged${field}.`, "Restore from another copy, or from an earlier backup.", {
      cause,
    });
  }
}

/** Compares the files of a backup with its index. @throws CommandError that names the first file that differs */
export async function checkFiles(folder: string, tasks: readonly BackupTask[]): Promise<void> {
  for (const file of tasks.flatMap(({ files }) => [files.task, files.profiles])) {
    const path = join(folder, file.path);
    const actual = existsSync(path) ? await measureFile(folder, file.path) : null;
    if (actual?.bytes === file.bytes && actual.sha256 === file.sha256) continue;
    throw new CommandError(
      `${path} ${actual ? `is damaged: its size or checksum differs from ${INDEX}` : "is missing"}.`,
      "Nothing was written. Restore from another copy, or from an earlier backup.",
    );
  }
}
