import type { Command } from "commander";
import { parseProfileId, parseTaskName, parseWholeNumber } from "../arguments.ts";
import { exampleText } from "../command-line.ts";
import { addWorkerOptions, addWorkerOutputOptions, generationOption, prefixOption } from "../options.ts";
import { registerPullProfiles } from "./profiles-pull.ts";
import { registerPushProfiles } from "./profiles-push.ts";
import { listProfiles, showHistory, showProfile } from "./profiles-read.ts";
import { createToken, deleteProfile, rollBackProfile } from "./profiles-write.ts";

/** Seconds that a profile token is valid by default: a day. */
const TOKEN_SECONDS = 24 * 60 * 60;

/** `xpeft profiles`: the profiles of a running Worker. */
export function registerProfiles(program: Command): void {
  const profiles = program
    .command("profiles")
    .description("read and write the profiles of a running Worker")
    .addHelpText("after", exampleText("profiles list news --prefix news-00", "profiles show news news-000 --masks"));
  const addTaskCommand = (name: string, description: string) =>
    addWorkerOutputOptions(profiles.command(name).description(description), ["write"]).argument(
      "<task>",
      "name of the task",
      parseTaskName,
    );
  const addProfileCommand = (name: string, description: string) =>
    addTaskCommand(name, description).argument("<profile>", "id of the profile", parseProfileId);

  addTaskCommand("list", "list a task's profiles by id").addOption(prefixOption()).action(listProfiles);
  addProfileCommand("show", "show a profile: its generation, sizes and label bias")
    .option(
      "--masks",
      "draw the masks: a row for each layer and side, a column for each adapter; needs the scope predict too",
    )
    .action(showProfile);
  registerPushProfiles(
    addTaskCommand("push", "write the profiles of a profiles.ndjson; each line succeeds or fails alone"),
  );
  registerPullProfiles(
    addWorkerOptions(profiles.command("pull").description("download a task's profiles as a profiles.ndjson"), [
      "write",
    ]),
  );
  addProfileCommand("history", "list the generations that rollback can restore").action(showHistory);
  addProfileCommand("rollback", "write an earlier generation of a profile again")
    .argument("<generation>", "number of that generation, from history", parseWholeNumber(1))
    .addOption(generationOption("--if-generation", "profile"))
    .action(rollBackProfile);
  addProfileCommand("delete", "delete a profile and its history")
    .addOption(generationOption("--if-generation", "profile"))
    .action(deleteProfile);
  addProfileCommand("token", "create a token that carries the profile and can be sent in place of a key")
    .option("--ttl <seconds>", "seconds that the token is valid, at least 60", parseWholeNumber(60), TOKEN_SECONDS)
    .option("--with-task", "add the task's labels, head and adapter, for a Worker without a database")
    .action(createToken);
}
