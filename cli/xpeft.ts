#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { CommandError } from "../node/errors.ts";
import { readVersion } from "../node/package.ts";
import { describeError, EXIT, exitCodeOf } from "./errors.ts";

/** Adds a command to the program. */
type Register = (program: Command) => void;

/** Commands by name. Some take seconds to load (wrangler, Drizzle), so only the one that is asked for is. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  predict: async () => (await import("./predict/predict.ts")).registerPredict,
  learn: async () => (await import("./learn/learn.ts")).registerLearn,
  eval: async () => (await import("./predict/eval.ts")).registerEval,
  tasks: async () => (await import("./registry/tasks.ts")).registerTasks,
  profiles: async () => (await import("./registry/profiles.ts")).registerProfiles,
  backup: async () => (await import("./registry/backup.ts")).registerBackup,
  restore: async () => (await import("./registry/backup.ts")).registerRestore,
  push: async () => (await import("./registry/push.ts")).registerPush,
  seed: async () => (await import("./registry/seed.ts")).registerSeed,
  keys: async () => (await import("./keys/keys.ts")).registerKeys,
  bundle: async () => (await import("./deploy/bundle.ts")).registerBundle,
  dev: async () => (await import("./deploy/dev.ts")).registerDev,
  deploy: async () => (await import("./deploy/deploy.ts")).registerDeploy,
  doctor: async () => (await import("./deploy/doctor.ts")).registerDoctor,
};

/** Of those that are kept up; it has what the commands are written with. */
const OLDEST_NODE = 22;

const HELP = `
A running Worker is asked at --url, or XPEFT_URL, with --key, or XPEFT_KEY; push, seed, learn and keys work on the local database.

The exit status is 0; 1 if what was asked for failed, or a part of it; 2 if the command was called wrongly; 3 if the Worker could not be
reached; 130 after Ctrl-C.`;

const program = new Command()
  .name("xpeft")
  .description("Tasks, profiles and keys of xpeft-edge")
  .version(readVersion())
  .addHelpText("after", HELP)
  // Commands inherit it as they are made: a wrong call then ends here, with a status of its own.
  .exitOverride();

try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    const hint = "In the project itself, npm run xpeft brings a Node of its own.";
    throw new CommandError(`xpeft needs Node ${OLDEST_NODE} or newer, and this is ${process.versions.node}.`, hint);
  }
  const asked = Object.entries(COMMANDS).find(([name]) => name === process.argv[2]);
  if (asked) {
    (await asked[1]())(program);
  } else {
    for (const load of Object.values(COMMANDS)) (await load())(program);
    (await import("./completion.ts")).registerCompletion(program);
  }
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said already what is wrong.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else {
    console.error(describeError(error));
    process.exitCode = exitCodeOf(error);
  }
}
