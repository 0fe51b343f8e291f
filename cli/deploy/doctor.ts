import { readdir } from "node:fs/promises";
import { styleText } from "node:util";
import type { Command } from "commander";
import { sql } from "drizzle-orm";
import { unwrap } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { packagePath } from "../../node/package.ts";
import { createTaskRegistry } from "../../src/storage/tasks.ts";
import { withDatabase } from "../database.ts";
import { describeError, EXIT } from "../errors.ts";
import { addJsonOption, type OutputOptions } from "../output.ts";
import { createProgressBar } from "../progress.ts";
import { listTasks } from "../registry/tasks.ts";
import { addServiceOptions, openService, type ServiceOptions } from "../service.ts";
import { verifyBundle } from "./bundle.ts";
import { checkRows } from "./doctor-rows.ts";

interface DoctorOptions extends ServiceOptions, OutputOptions {
  readonly bundle: string;
  readonly persistTo?: string;
  readonly db?: boolean;
}

/** One thing that has to be so, and how it is found out. */
interface Check {
  readonly name: string;
  /** Only for a Worker on this machine, whose database is here. */
  readonly local?: true;
  /** Only if every row is to be looked at, which takes its time. */
  readonly db?: true;
  /** Tells what was found; throws what is wrong, and what to do. */
  run(options: DoctorOptions): Promise<string>;
}

const MIGRATIONS = packagePath("schema/migrations");

/** @throws CommandError if one of the tasks was trained on another bundle */
function checkTasks(tasks: readonly { readonly name: string; readonly bundle: string }[], id: string): string {
  const other = tasks.filter(({ bundle }) => bundle !== id);
  if (other.length === 0) return `${tasks.length} tasks, all of this bundle`;
  throw new CommandError(
    `${other.length} of ${tasks.length} tasks were trained on another bundle: ${other.map(({ name }) => name).join(", ")}.`,
    "Train them again on this bundle and push them, or serve theirs.",
  );
}

const CHECKS: readonly Check[] = [
  {
    name: "bundle",
    async run({ bundle }) {
      const { id, files } = await verifyBundle(bundle);
      return `${id}: ${files} files are whole, and a text was read`;
    },
  },
  {
    name: "local database",
    local: true,
    async run({ bundle, persistTo }) {
      const { id } = await readBundle(bundle);
      const wanted = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql"));
      return await withDatabase(persistTo, async (db) => {
        const applied = await db.all<{ name: string }>(sql`SELECT name FROM d1_migrations`).catch(() => []);
        const missing = wanted.filter((name) => !applied.some((one) => one.name === name));
        if (missing.length > 0) {
          throw new CommandError(
            `Migrations are missing: ${missing.join(", ")}.`,
            "npm start applies them; by hand: npx wrangler d1 migrations apply DB --local",
          );
        }
        const { items } = await createTaskRegistry(db).list({ limit: 1000, after: "" }, null);
        return checkTasks(items, id);
      });
    },
  },
  {
    name: "Worker",
    async run(options) {
      const { id } = await readBundle(options.bundle);
      const health = await unwrap(openService(options).healthz.$get());
      if (health.bundle === id) return `${options.url} is ready, and serves this bundle`;
      throw new CommandError(
        `${options.url} serves bundle ${health.bundle}, and ${options.bundle} is ${id}.`,
        "Deploy this folder, or name the other one: --bundle.",
      );
    },
  },
  {
    name: "Worker's tasks",
    async run(options) {
      const service = openService(options);
      const { bundle } = await unwrap(service.v1.info.$get());
      const tasks = await Array.fromAsync(listTasks(service), ({ task, bundle }) => ({ name: task, bundle }));
      return checkTasks(tasks, bundle.id);
    },
  },
  {
    name: "rows",
    db: true,
    async run(options) {
      const bundle = await readBundle(options.bundle);
      const progress = createProgressBar("rows", undefined, !options.json);
      return await checkRows(openService(options), bundle, progress).finally(() => progress.end());
    },
  },
];

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
}

/** Whether a URL is of this machine; one that is none is, too: the check of the Worker tells. */
function isLocal(url: string): boolean {
  return !URL.canParse(url) || ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}

async function find(check: Check, options: DoctorOptions): Promise<Finding> {
  try {
    return { check: check.name, ok: true, found: await check.run(options) };
  } catch (error) {
    return { check: check.name, ok: false, found: describeError(error) };
  }
}

function show({ check, ok, found }: Finding): void {
  const sign = ok
    ? styleText("green", "ok  ", { stream: process.stdout })
    : styleText("red", "FAIL", { stream: process.stdout });
  console.log(`${sign} ${check}: ${found.replaceAll("\n", "\n     ")}`);
}

async function examine(options: DoctorOptions): Promise<void> {
  const findings: Finding[] = [];
  const here = isLocal(options.url);
  const wanted = CHECKS.filter(({ local, db }) => (here || !local) && (options.db || !db));
  for (const check of wanted) {
    const finding = await find(check, options);
    findings.push(finding);
    if (!options.json) show(finding);
  }
  if (options.json) console.log(JSON.stringify(findings));
  if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT.failed;
}

/** `xpeft doctor`: looks for what is not as it must be. */
export function registerDoctor(program: Command): void {
  const doctor = program
    .command("doctor")
    .description(
      "check the bundle, a running Worker and, if that is on this machine, the local database; each fault with what to do",
    )
    .option("--bundle <folder>", "the bundle that they are to be of", DEFAULT_BUNDLE)
    .option(
      "--db",
      "check every task and profile against the bundle, too; the key must have the scopes predict and write",
    )
    .option("--persist-to <folder>", "where the local database is, as given to wrangler dev");
  addJsonOption(addServiceOptions(doctor)).action(examine);
}
