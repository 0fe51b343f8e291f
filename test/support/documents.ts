import { readFile } from "node:fs/promises";
import { lexer, type Token, type Tokens, walkTokens } from "marked";
import { projectFiles } from "./project.ts";

/** Returns the project's Markdown files. */
export const documents = (): Promise<string[]> => projectFiles("*.md");

/** Returns a file's Markdown tokens, nested ones included, in order. */
export async function tokensOf(path: string): Promise<Token[]> {
  const tokens: Token[] = [];
  walkTokens(lexer(await readFile(path, "utf8")), (token) => {
    tokens.push(token);
  });
  return tokens;
}

/** A block of shell commands, and why tests do not run it, or null. */
export interface Commands {
  readonly text: string;
  readonly notRun: string | null;
}

/** The comment before a block that no test can run: `<!-- not run: needs an account -->`. */
const NOT_RUN = /<!-- not run: (.+) -->/;

/** Returns a file's blocks of shell commands. */
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
