/** How a user runs this program: in the project as TypeScript, elsewhere as the installed package. */
const PROGRAM = import.meta.filename.endsWith(".ts") ? "npm run -s xpeft --" : "npx xpeft";

/** Returns help text with examples, to stand below a command's options. */
export const exampleText = (...commands: readonly string[]): string =>
  `\nExamples:\n${commands.map((command) => `  ${PROGRAM} ${command}`).join("\n")}`;

/** Returns a hint with each `xpeft COMMAND` as the user types it. `python -m xpeft` stays. */
export const expandCommands = (hint: string): string => hint.replaceAll(/(?<!-m )\bxpeft (?=[a-z])/g, `${PROGRAM} `);
