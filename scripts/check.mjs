// `npm run check`: checks format, lint, types and imports of both halves. `--only=ts` or `--only=py` checks one half,
// `--only=imports` (or another part's name) one part.
import { pythonChecks, typescriptChecks } from "./checks.mjs";
import { fail, installDependencies, installTraining } from "./install.mjs";
import { runInTurn, summarise } from "./parts.mjs";

const start = Date.now();
const names = [...typescriptChecks, ...pythonChecks].map(({ name }) => name);

const only = process.argv.slice(2).map((argument) => {
  const [, name] = argument.match(/^--only=(.+)$/) ?? [];
  if (name === "ts" || name === "py" || names.includes(name)) return name;
  return fail(
    `The option ${argument} is unknown. Use --only=NAME, where NAME is ts, py or one of: ${names.join(", ")}.`,
  );
});

/** Returns the checks of a half that `--only` selects. */
const select = (half, checks) =>
  only.length === 0 || only.includes(half) ? checks : checks.filter(({ name }) => only.includes(name));

const typescript = select("ts", typescriptChecks);
const training = select("py", pythonChecks);
const [ofTypescript, ofTraining] = await Promise.all([
  typescript.length > 0 ? installDependencies().then(() => runInTurn(typescript)) : [],
  training.length > 0 ? installTraining().then(() => runInTurn(training)) : [],
]);
summarise("npm run check", [...ofTypescript, ...ofTraining], start);
