import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { styleText } from "node:util";
import { type Command, Option } from "commander";
import { unwrap } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { exampleText } from "../command-line.ts";
import { describeError } from "../errors.ts";
import { openClient } from "../worker-client.ts";
import { type BoundDatabase, type DeployState, deploySteps, type Step } from "./steps.ts";
import { createWrangler, shellCommand } from "./wrangler.ts";

interface DeployOptions {
  readonly keyOut?: string;
  readonly env: string;
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

const CONFIG = "wrangler.toml";

/** How long to wait for a healthy answer. It takes a while until a new address is known everywhere. */
const HEALTHY_WITHIN_MS = 120_000;
const POLL_MS = 3000;

const HELP = `
The command is safe to repeat: existing databases, secrets and keys stay as they are, and the Worker is uploaded again.
Production is the top of wrangler.toml. --env preview has its own Worker, database and keys.
The first key is shown only once, when it is created. Everything else goes to standard error.
${exampleText("deploy --dry-run", "deploy --env preview --key-out preview.key")}`;

/** Reads the databases of an environment from wrangler.toml. */
async function readDatabases(env: string): Promise<BoundDatabase[]> {
  if (!existsSync(CONFIG)) {
    throw new CommandError(`There is no ${CONFIG} in this folder.`, "Run the command in the project's folder.");
  }
  const { unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: CONFIG, env });
  const databases: readonly { binding: string; database_name?: string }[] = config.d1_databases;
  return databases.map(({ binding, database_name: name }) => {
    if (name !== undefined) return { binding, name };
    throw new CommandError(`The database ${binding} has no name in ${CONFIG}.`, "Add its database_name.");
  });
}

/** Waits until the Worker answers that it is healthy. Returns its state in words. */
async function waitUntilHealthy(url: string): Promise<string> {
  for (const deadline = Date.now() + HEALTHY_WITHIN_MS; ; await setTimeout(POLL_MS)) {
    try {
      const { bundle } = await unwrap(openClient({ url }).healthz.$get());
      return `ready: it serves bundle ${bundle}, and a test prediction succeeded`;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new CommandError(
          `${url} is deployed, but not healthy after ${HEALTHY_WITHIN_MS / 1000} s:\n${describeError(error)}`,
          "Read the Worker's logs: npx wrangler tail",
        );
      }
    }
  }
}

function printPlan(steps: readonly Step[], env: string): void {
  for (const [index, { title, commands }] of steps.entries()) {
    console.error(`${index + 1}/${steps.length} ${title}`);
    for (const { args, condition } of commands)
      console.error(`    ${shellCommand(args, env)}${condition ? `   # if ${condition}` : ""}`);
  }
}

async function deploy({ env, dryRun, keyOut, wait }: DeployOptions): Promise<void> {
  const steps = deploySteps(await readDatabases(env));
  const wrangler = createWrangler(env);
  if (dryRun) {
    printPlan(steps, env);
    console.error(await wrangler.run(["deploy", "--dry-run"]));
    console.error("Dry run: nothing was changed.");
    return;
  }
  const state: DeployState = keyOut === undefined ? {} : { keyOut };
  try {
    for (const [index, step] of steps.entries()) {
      console.error(styleText("bold", `${index + 1}/${steps.length} ${step.title}`, { stream: process.stderr }));
      console.error(`    ${await step.run(wrangler, state)}`);
    }
  } finally {
    // Also after a failure: the key may exist by now, and cannot be shown again.
    if (state.key !== undefined && keyOut === undefined) console.log(state.key);
  }
  const { url } = state;
  if (wait && url !== undefined) console.error(`${url} is ${await waitUntilHealthy(url)}.`);
}

/** `xpeft deploy`: deploys to Cloudflare, from an account to a healthy Worker. */
export function registerDeploy(program: Command): void {
  program
    .command("deploy")
    .description(
      "deploy to Cloudflare: create and migrate databases, upload the Worker, create a secret and a first key",
    )
    .addOption(new Option("--env <name>", "environment of wrangler.toml, such as preview").default("", "production"))
    .option("--key-out <file>", "write the first key to this new file (default: standard output)")
    .option("--no-wait", "do not wait until the Worker is healthy")
    .option("--dry-run", "show the steps and build the Worker, but change nothing")
    .addHelpText("after", HELP)
    .action(deploy);
}
