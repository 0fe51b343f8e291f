import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { SCOPES } from "../../src/auth/access.ts";
import { parsePrefix, parseTaskName } from "../arguments.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const dateSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

function parseName(text: string): string {
  if (text.trim() !== "" && !/\p{Cc}/u.test(text)) return text;
  throw new InvalidArgumentError("It must be one line that is not blank.");
}

function parseExpiry(text: string): Date {
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? [];
  if (days === undefined && !dateSchema.safeParse(text).success) {
    throw new InvalidArgumentError("Give days from now, such as 90d, or a date: 2030-01-31 or 2030-01-31T12:00:00Z.");
  }
  const expiresAt = days === undefined ? new Date(text) : new Date(Date.now() + Number(days) * DAY_MS);
  if (expiresAt.getTime() > Date.now()) return expiresAt;
  throw new InvalidArgumentError("It must be in the future.");
}

/** The options of `xpeft keys create` that describe the key. */
export const createOptions: readonly Option[] = [
  new Option("--name <text>", "a name for the list of keys").default("unnamed").argParser(parseName),
  new Option("--scope <scope...>", "what the key permits; no scope includes another")
    .choices(SCOPES)
    .default(["predict"], "predict"),
  new Option("--task <name>", "permit this task only (default: all)").argParser(parseTaskName),
  new Option("--prefix <text>", "permit only profiles whose ids start with this text")
    .default("", "all")
    .argParser(parsePrefix),
  new Option("--expires <when>", "days from now (90d), or an ISO date (default: never)").argParser(parseExpiry),
  new Option("--json", "print the key and what it permits as one JSON object"),
  new Option("--sql", "print an SQL statement for a deployed database; the key goes to standard error").conflicts([
    "json",
    "persistTo",
  ]),
];
