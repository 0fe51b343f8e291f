import { type Command, Option } from "commander";
import { type FanOutCounts, type FanOutLine, type FanOutRequest, fanOut, ProblemError } from "../../client/index.ts";
import { escapeControls } from "../../src/profiles/labels.ts";
import { parsePrefix, parseProfileId, parseScore, parseTaskName, parseWholeNumber } from "../arguments.ts";
import { exampleText } from "../command-line.ts";
import { describeEach, EXIT, UsageError } from "../errors.ts";
import { addWorkerOutputOptions, type WorkerOutputOptions } from "../options.ts";
import { createProgressBar } from "../progress.ts";
import { openClient } from "../worker-client.ts";

interface FanOutOptions extends WorkerOutputOptions {
  readonly all?: boolean;
  readonly prefix?: string;
  readonly profile?: readonly string[];
  readonly label?: string;
  readonly minScore?: number;
  readonly top?: number;
}

const HELP = `
Name the profiles with one of --all, --prefix and --profile. --all and --prefix need a key
with the scope list too.

Output:
  One line for each profile, by id: profile, tab, label, tab, score (0 to 1).
  With --profile, in the order given; with --top, best first.
  With --json, each line as JSON, and a last line with the counts of all profiles.
  Otherwise standard error has the counts.
  A control character in a label is escaped: \\t, \\n, \\u0000.
  If a profile fails, standard error says why, and the exit status is 1.
  If the connection breaks, the command resumes where it was.
${exampleText(
  'fanout inbox "Your electricity bill is attached" --all',
  'fanout inbox "Your electricity bill is attached" --all --label now --top 10',
  'fanout offense "Nobody asked you" --prefix offense-0 --min-score 0.9 --json > sure.ndjson',
)}`;

function profilesOf({ all, prefix, profile }: FanOutOptions): FanOutRequest["profiles"] {
  const named = [
    ...(all ? ["all" as const] : []),
    ...(prefix === undefined ? [] : [{ prefix }]),
    ...(profile ? [[...profile]] : []),
  ];
  const [profiles, ...others] = named;
  if (profiles !== undefined && others.length === 0) return profiles;
  throw new UsageError(
    profiles === undefined ? "No profiles are named." : "Profiles are named in several ways.",
    "Give one of --all, --prefix TEXT and --profile ID.",
  );
}

function formatCounts({ profiles, matched, failed, labels }: FanOutCounts, prefix: string | undefined): string {
  if (profiles === 0)
    return prefix === undefined ? "The task has no profiles." : `No profile's id starts with "${prefix}".`;
  const counts = Object.entries(labels).filter(([, count]) => count > 0);
  const given = counts.sort(([, a], [, b]) => b - a).map(([label, count]) => `${escapeControls(label)} ${count}`);
  const of = failed > 0 ? `${matched} lines, ${failed} failed` : `${matched} lines`;
  return `${profiles} profiles, ${of}. Labels: ${given.join(", ") || "none"}.`;
}

async function fanOutText(task: string, text: string, options: FanOutOptions): Promise<void> {
  const { label, minScore, top, prefix, json } = options;
  if (top !== undefined && label === undefined)
    throw new UsageError("--top chooses the best profiles of a label, and there is no label.", "Add --label LABEL.");
  const profiles = profilesOf(options);
  const request = {
    task,
    text,
    profiles,
    ...(label !== undefined && { label }),
    ...(minScore !== undefined && { minScore }),
    ...(top !== undefined && { top }),
  };
  // The bar would be drawn between the answers if both go to the same terminal.
  const total = Array.isArray(profiles) ? profiles.length : undefined;
  const progress = createProgressBar("profiles", total, !process.stdout.isTTY);
  const describe = describeEach();
  let shown = 0;
  const answer = fanOut(openClient(options), request, (counts) => {
    progress.increment(counts.profiles - shown);
    shown = counts.profiles;
  });
  try {
    const print = (line: FanOutLine) => {
      if (json) console.log(JSON.stringify(line));
      if ("error" in line) progress.log(`${line.profile}: ${describe(new ProblemError(line.error))}`);
      else if (!json) console.log([line.profile, escapeControls(line.label), line.score.toFixed(4)].join("\t"));
    };
    let next = await answer.next();
    for (; !next.done; next = await answer.next()) print(next.value);
    progress.stop();
    if (json) console.log(JSON.stringify(next.value));
    else console.error(formatCounts(next.value, prefix));
    if (next.value.failed > 0) process.exitCode = EXIT.failed;
  } finally {
    progress.stop();
  }
}

/** `xpeft fanout`: labels one text under many profiles through a running Worker. */
export function registerFanOut(program: Command): void {
  const command = program
    .command("fanout")
    .description("label one text under many profiles through a running Worker")
    .argument("<task>", "name of the task", parseTaskName)
    .argument("<text>", "text to label")
    .option("--all", "label it under all profiles of the task")
    .addOption(
      new Option("--prefix <text>", "label it under the profiles whose ids start with this text").argParser(
        parsePrefix,
      ),
    )
    .option("--profile <id...>", "label it under these profiles", (id: string, ids: readonly string[] = []) => [
      ...ids,
      parseProfileId(id),
    ])
    .option("--label <label>", "print this label's scores; by default only of profiles that give this label")
    .option("--min-score <s>", "only profiles with at least this score, 0 to 1", parseScore)
    .option("--top <n>", "with --label: only the n profiles with its best scores", parseWholeNumber(1, 1000));
  addWorkerOutputOptions(command, ["predict"]).addHelpText("after", HELP).action(fanOutText);
}
