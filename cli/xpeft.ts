#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import "./broken-pipe.ts";
import { CommandError } from "../node/errors.ts";
import { readAbout } from "../node/package.ts";
import { describeError, EXIT, exitCodeOf } from "./errors.ts";
import { describeWorker } from "./options.ts";

/** Adds a command to the program. */
type Register = (program: Command) => void;

/** Commands by name. Only the one that runs is loaded, because some need seconds to load (wrangler, Drizzle). */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  predict: async () => (await import("./predict/predict.ts")).registerPredict,
  fanout: async () => (await import("./predict/fanout.ts")).registerFanOut,
  learn: async () => (await import("./learn/learn.ts")).registerLearn,
  "learn-task": async () => (await import("./learn/learn-task.ts")).registerLearnTask,
  eval: async () => (await import("./predict/eval.ts")).registerEval,
  tasks: async () => (await import("./registry/tasks.ts")).registerTasks,
  profiles: async () => (await import("./registry/profiles.ts")).registerProfiles,
  backup: async () => (await import("./registry/backup.ts")).registerBackup,
  restore: async () => (await import("./registry/restore.ts")).registerRestore,
  push: async () => (await import("./registry/push.ts")).registerPush,
  seed: async () => (await import("./registry/seed.ts")).registerSeed,
  keys: async () => (await import("./keys/keys.ts")).registerKeys,
  bundle: async () => (await import("./deploy/bundle.ts")).registerBundle,
  dev: async () => (await import("./deploy/dev.ts")).registerDev,
  serve: async () => (await import("./serve/serve.ts")).registerServe,
  init: async () => (await import("./init/init.ts")).registerInit,
  deploy: async () => (await import("./deploy/deploy.ts")).registerDeploy,
  doctor: async () => (await import("./deploy/doctor.ts")).registerDoctor,
};

/** Major version of the oldest Node that is still maintained and has what the commands need. */
const OLDEST_NODE = 22;

const HELP = `
Commands that talk to a running Worker have --url and --key (or XPEFT_URL and XPEFT_KEY).
push, seed, learn, learn-task and keys use the local database, unless --url is given.

Exit status:
  0    success
  1    the command failed, or a part of it
  2    wrong usage
  3    the Worker could not be reached
  130  interrupted by Ctrl-C
  141  the reader of the output ended first`;

const program = new Command()
  .name("xpeft")
  .description("Manage tasks, profiles and keys of xpeft-edge, predict, learn and deploy.")
  .version(readAbout().version)
  .addHelpText("after", HELP)
  // Commands inherit this when they are added. Wrong usage then throws, and gets its own exit status below.
  .exitOverride();

/** The Worker that the running command talks to, for errors. */
let worker: string | undefined;
program.hook("preAction", (_, command) => {
  worker = describeWorker(command);
});

// Compose and CI pass on variables without a value.
for (const [name, value] of Object.entries(process.env)) {
  if (name.startsWith("XPEFT_") && value === "") delete process.env[name];
}

try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new CommandError(
      `xpeft needs Node ${OLDEST_NODE} or newer, but this is Node ${process.versions.node}.`,
      "Install a newer Node. In the project's folder, npm run brings its own Node.",
    );
  }
  const [, loadCommand] = Object.entries(COMMANDS).find(([name]) => name === process.argv[2]) ?? [];
  if (loadCommand) {
    (await loadCommand())(program);
  } else {
    for (const load of Object.values(COMMANDS)) (await load())(program);
    (await import("./completion.ts")).registerCompletion(program);
  }
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed the error.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else {
    console.error(describeError(error, worker));
    process.exitCode = exitCodeOf(error);
  }
}
