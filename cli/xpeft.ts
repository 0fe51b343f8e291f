#!/usr/bin/env node
import { program } from "commander";
import { describeError } from "./errors.ts";
import { registerEval } from "./eval.ts";
import { registerPush } from "./push.ts";
import { registerSeed } from "./seed.ts";

program.name("xpeft").description("Tasks and profiles of xpeft-edge");
registerPush(program);
registerSeed(program);
registerEval(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
