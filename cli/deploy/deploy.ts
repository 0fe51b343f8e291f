import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { styleText } from "node:util";
import type { Command } from "commander";
import { unwrap } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { describeError } from "../errors.ts";
import { openService } from "../service.ts";
import { type BoundDatabase, type Deployed, type Step, stepsOf } from "./steps.ts";
import { createWrangler, shellCommand } from "./wrangler.ts";

interface DeployOptions {
  readonly keyOut?: string;
  readonly env: string;
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

const CONFIG = "wrangler.toml";

/** A new address is known everywhere only after a while. */
const HEALTHY_WITHIN_MS = 120_000;
const POLL_MS = 3000;

const HELP = `
Run again, it changes nothing but the Worker itself: databases, secret and keys that are there are left.
Production is the top of wrangler.toml; --env preview has a Worker, a database and keys of its own.

A first key is shown only when it is made: in --key-out, or on standard output. Everything else is told on standard error.`;

/** The databases of an environment, as wrangler.toml has them. */
async function readDatabases(env: string): Promise<BoundDatabase[]> {
  if (!existsSync(CONFIG)) {
    throw new CommandError(`There is no ${CONFIG} here.`, "Deploy from the project's own folder.");
  }
  const { unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: CONFIG, env });
  const databases: readonly { binding: string; database_name?: string }[] = config.d1_databases;
  return databases.map(({ binding, database_name: name }) => {
    if (name !== undefined) return { binding, name };
    throw new CommandError(`${CONFIG} gives the database ${binding} no name.`, "Say its database_name.");
  });
}

/** Waits until the Worker answers that it is ready. */
async function untilHealthy(url: string): Promise<string> {
  for (const deadline = Date.now() + HEALTHY_WITHIN_MS; ; await setTimeout(POLL_MS)) {
    try {
      const { bundle, probe } = await unwrap(openService({ url }).healthz.$get());
      return `ready, bundle ${bundle}; a text of ${probe.tokens} tokens was read`;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new CommandError(
          `${url} is deployed, and does not answer as it should:\n${describeError(error)}`,
          "Look at what it logs: npx wrangler tail",
        );
      }
    }
  }
}

function plan(steps: readonly Step[], env: string): void {
  for (const [index, { title, commands }] of steps.entries()) {
    console.error(`${index + 1}/${steps.length} ${title}`);
    for (const { args, when } of commands)
      console.error(`    ${shellCommand(args, env)}${when ? `   # if ${when}` : ""}`);
  }
}

async function deploy({ env, dryRun, keyOut, wait }: DeployOptions): Promise<void> {
  const steps = stepsOf(await readDatabases(env));
  const wrangler = createWrangler(env);
  if (dryRun) {
    plan(steps, env);
    console.error(await wrangler.run(["deploy", "--dry-run"]));
    console.error("Nothing was changed.");
    return;
  }
  const deployed: Deployed = keyOut === undefined ? {} : { keyOut };
  try {
    for (const [index, step] of steps.entries()) {
      console.error(styleText("bold", `${index + 1}/${steps.length} ${step.title}`, { stream: process.stderr }));
      console.error(`    ${await step.run(wrangler, deployed)}`);
    }
  } finally {
    // Whatever failed: if the key was made all the same, it cannot be had again.
    if (deployed.key !== undefined && keyOut === undefined) console.log(deployed.key);
  }
  const { url } = deployed;
  if (wait && url !== undefined) console.error(`${url} is ${await untilHealthy(url)}.`);
}

/** `xpeft deploy`: everything from an account to a Worker that answers. */
export function registerDeploy(program: Command): void {
  program
    .command("deploy")
    .description(
      "make or find databases, migrate them, upload the Worker, set its secret, make a first key; safe to repeat",
    )
    .option("--env <name>", "an environment of wrangler.toml, such as preview; production unless said", "")
    .option("--key-out <file>", "where a first key goes; standard output unless said")
    .option("--no-wait", "do not wait until the Worker answers")
    .option("--dry-run", "show every step and build the Worker, without touching the account")
    .addHelpText("after", HELP)
    .action(deploy);
}
