import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { SCOPES } from "../../src/auth/access.ts";
import { profileArgument, taskArgument } from "../arguments.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

function parseName(text: string): string {
  if (text.trim() === "" || /\p{Cc}/u.test(text)) {
    throw new InvalidArgumentError("It must be one line with something on it.");
  }
  return text;
}

// What an id starts with is itself of an id's form: an id can end anywhere after its first character.
const prefixArgument = (text: string): string => (text === "" ? text : profileArgument(text));

function parseExpiry(text: string): Date {
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? [];
  if (days === undefined && !moment.safeParse(text).success) {
    throw new InvalidArgumentError("Say days from now, 90d, or a date, 2030-01-31 or 2030-01-31T12:00:00Z.");
  }
  const expiresAt = days === undefined ? new Date(text) : new Date(Date.now() + Number(days) * DAY_MS);
  if (expiresAt.getTime() <= Date.now()) throw new InvalidArgumentError("It must be in the future.");
  return expiresAt;
}

/** The options of `xpeft keys create`, each checked as it is read. */
export const createOptions: readonly Option[] = [
  new Option("--name <text>", "what you call it").default("unnamed").argParser(parseName),
  new Option("--scope <scope...>", "what it allows; none includes another").choices(SCOPES).default(["predict"]),
  new Option("--task <name>", "confine it to one task").argParser(taskArgument),
  new Option("--prefix <start>", "confine it to profiles whose ids start so").default("").argParser(prefixArgument),
  new Option("--expires <when>", "days from now (90d), or an ISO date; never without it").argParser(parseExpiry),
  new Option("--json", "print one JSON object, the key in it"),
  new Option("--sql", "print the statement for a deployed database; the key goes to stderr").conflicts([
    "json",
    "persistTo",
  ]),
];
