#!/usr/bin/env node
import { program } from "commander";
import { describeError } from "./errors.ts";
import { registerEval } from "./eval.ts";
import { registerKeys } from "./keys.ts";
import { registerLearn } from "./learn.ts";
import { registerPush } from "./push.ts";
import { registerSeed } from "./seed.ts";

program.name("xpeft").description("Tasks, profiles and keys of xpeft-edge");
registerPush(program);
registerSeed(program);
registerEval(program);
registerKeys(program);
registerLearn(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
