import { readFile } from "node:fs/promises";
import { lexer, type Token, type Tokens, walkTokens } from "marked";
import { projectFiles } from "./project.ts";

/** The project's Markdown files. */
export const documents = (): Promise<string[]> => projectFiles("*.md");

/** A file's tokens, those of lists and the like included, in its order. */
export async function tokensOf(path: string): Promise<Token[]> {
  const tokens: Token[] = [];
  walkTokens(lexer(await readFile(path, "utf8")), (token) => {
    tokens.push(token);
  });
  return tokens;
}

/** A block of shell commands, and why it is not run in tests, if it is not. */
export interface Commands {
  readonly text: string;
  readonly notRun: string | null;
}

/** Comes before a block that no test can run: `<!-- not run: needs an account -->`. */
const NOT_RUN = /<!-- not run: (.+) -->/;

/** The blocks of shell commands of a file. */
export async function commandsOf(path: string): Promise<Commands[]> {
  let notRun: string | null = null;
  return (await tokensOf(path)).flatMap((token) => {
    if (token.type === "html") notRun = NOT_RUN.exec(token.raw)?.[1] ?? notRun;
    if (token.type !== "code") return [];
    const { lang, text } = token as Tokens.Code;
    const block = lang === "sh" ? [{ text, notRun }] : [];
    notRun = null;
    return block;
  });
}
