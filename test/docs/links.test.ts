import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import GithubSlugger from "github-slugger";
import type { Tokens } from "marked";
import { expect, it } from "vitest";
import { documents, tokensOf } from "../support/documents.ts";

/** Returns the anchors that GitHub gives a file's headings. */
async function anchorsOf(path: string): Promise<Set<string>> {
  const slugger = new GithubSlugger();
  const headings = (await tokensOf(path)).filter((token) => token.type === "heading");
  return new Set(headings.map((heading) => slugger.slug((heading as Tokens.Heading).text.replaceAll("`", ""))));
}

it.each(await documents())("%s has no broken links", async (path) => {
  const links = (await tokensOf(path)).filter((token) => token.type === "link" || token.type === "image");
  const broken: string[] = [];
  for (const { href } of links as Tokens.Link[]) {
    if (/^[a-z]+:/.test(href)) continue;
    const [file = "", anchor] = href.split("#");
    const target = file === "" ? path : join(dirname(path), file);
    const found = existsSync(target) && (anchor === undefined || (await anchorsOf(target)).has(anchor));
    if (!found) broken.push(href);
  }
  expect(broken).toEqual([]);
});
