import { styleText } from "node:util";
import type { Command } from "commander";
import { bundleOption } from "../bundle-option.ts";
import { exampleText } from "../command-line.ts";
import { describeError, EXIT } from "../errors.ts";
import { addDatabaseOptions, addWorkerOutputOptions } from "../options.ts";
import { CHECKS, type Check, type DoctorOptions } from "./doctor-checks.ts";

/** The result of a check, as `--json` prints it. */
interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
}

/** Whether a URL is on this machine. */
function isLocal(url: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}

async function runCheck(check: Check, options: DoctorOptions): Promise<Finding> {
  try {
    return { check: check.name, ok: true, found: await check.run(options) };
  } catch (error) {
    return { check: check.name, ok: false, found: describeError(error, options.url) };
  }
}

function printFinding({ check, ok, found }: Finding): void {
  const mark = styleText(ok ? "green" : "red", ok ? "ok  " : "FAIL", { stream: process.stdout });
  console.log(`${mark} ${check}: ${found.replaceAll("\n", "\n     ")}`);
}

async function doctor(options: DoctorOptions): Promise<void> {
  const findings: Finding[] = [];
  const checks = CHECKS.filter(({ local, db }) => (!local || isLocal(options.url)) && (!db || options.db));
  for (const check of checks) {
    const finding = await runCheck(check, options);
    findings.push(finding);
    if (!options.json) printFinding(finding);
  }
  if (options.json) console.log(JSON.stringify(findings));
  if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT.failed;
}

/** `xpeft doctor`: checks bundle, Worker and database. */
export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check the bundle, a running Worker and its local database, and say how to fix each fault")
    .addOption(bundleOption("folder of the bundle that the Worker should serve"))
    .option("--db", "also check every task and profile; needs the scope write too")
    .addHelpText("after", exampleText("doctor", "doctor --db --url https://xpeft-edge.ACCOUNT.workers.dev"));
  addDatabaseOptions(addWorkerOutputOptions(command, ["predict"])).action(doctor);
}
