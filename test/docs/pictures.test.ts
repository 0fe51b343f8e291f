import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Tokens } from "marked";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { documents, tokensOf } from "../support/documents.ts";

const FOLDER = "docs/pictures";
const MAX_BYTES = 150_000;
const MAX_FILM_BYTES = 2_000_000;
const MAX_ALL_BYTES = 1_500_000;

/** Returns the paths of the pictures that a document shows, in Markdown and in HTML. */
async function picturesOf(path: string): Promise<string[]> {
  const names = (await tokensOf(path)).flatMap((token) => {
    if (token.type === "image") return [(token as Tokens.Image).href];
    if (token.type !== "html") return [];
    return [...token.raw.matchAll(/ (?:src|srcset)="([^"]+)"/g)].map(([, name = ""]) => name);
  });
  return names.map((name) => join(dirname(path), name));
}

const shown = new Set((await Promise.all((await documents()).map(picturesOf))).flat());
const photographs = (await readdir(FOLDER)).filter((name) => !name.endsWith(".svg"));
const sizeOf = async (name: string) => (await stat(join(FOLDER, name))).size;

describe("the documents' pictures", () => {
  it("exist, and each is shown", async () => {
    for (const path of shown) expect((await stat(path)).size, path).toBeGreaterThan(0);
    const inFolder = (await readdir(FOLDER)).map((name) => join(FOLDER, name));
    expect([...shown].filter((path) => dirname(path) === FOLDER).sort()).toEqual(inFolder.sort());
  });

  it("are small", async () => {
    const sizes = await Promise.all(photographs.map(sizeOf));
    expect(sizes.reduce((sum, bytes) => sum + bytes)).toBeLessThan(MAX_ALL_BYTES);
    for (const [place, name] of photographs.entries()) {
      expect(sizes[place], name).toBeLessThan(name === "compare.webp" ? MAX_FILM_BYTES : MAX_BYTES);
    }
  });

  it("have one that moves, for ever and for 10 to 15 seconds, and README has a still of the same size", async () => {
    const film = await sharp(join(FOLDER, "compare.webp"), { animated: true }).metadata();
    expect(film).toMatchObject({ format: "webp", loop: 0 });
    expect(film.pages).toBeGreaterThan(50);
    const milliseconds = film.delay?.reduce((sum, delay) => sum + delay) ?? 0;
    expect(milliseconds).toBeGreaterThan(10_000);
    expect(milliseconds).toBeLessThan(16_000);
    const still = await sharp(join(FOLDER, "compare.png")).metadata();
    expect([still.width, still.height]).toEqual([film.width, film.pageHeight]);
    const [, picture = ""] = /<picture>(.+?)<\/picture>/s.exec(await readFile("README.md", "utf8")) ?? [];
    expect(picture).toContain(`<source media="(prefers-reduced-motion: reduce)" srcset="./${FOLDER}/compare.png">`);
    expect(picture).toContain(`src="./${FOLDER}/compare.webp" width="${film.width}" height="${film.pageHeight}" alt="`);
  });
});

describe("README's badges", () => {
  it("say what package.json and the results say, and README repeats it for those who cannot see them", async () => {
    const badges = (await readdir(FOLDER)).filter((name) => name.startsWith("badge-"));
    const readme = await readFile("README.md", "utf8");
    const facts = new Map<string, string>();
    for (const name of badges) {
      const [, title = ""] = /<title>(.+)<\/title>/.exec(await readFile(join(FOLDER, name), "utf8")) ?? [];
      facts.set(basename(name, ".svg"), title);
      expect(readme.toLowerCase()).toContain(`[![${title.toLowerCase()}](${FOLDER}/${name})]`);
    }
    const { license, scripts } = JSON.parse(await readFile("package.json", "utf8"));
    const profiles: { data: string; method: string; bytes: number }[] = JSON.parse(
      await readFile("training/results/claims.json", "utf8"),
    ).filter(({ method }: { method: string }) => method === "profile");
    const bytes = await Promise.all(
      ["inbox", "news", "offense"].map(async (task) => {
        const [line = ""] = (await readFile(`bundles/demo/${task}/profiles.ndjson`, "utf8")).split("\n", 1);
        const { masks, labelBias } = JSON.parse(line);
        const stored = Buffer.from(`${masks}`, "base64").length + Buffer.from(`${labelBias}`, "base64").length;
        expect(profiles.find(({ data }) => data === task)?.bytes, task).toBe(stored);
        return stored;
      }),
    );
    expect(Object.fromEntries(facts)).toEqual({
      "badge-licence": `licence: ${license}`,
      "badge-profile": `a demo profile: ${Math.min(...bytes)} to ${Math.max(...bytes)} bytes`,
      "badge-tests": "tests: npm test",
    });
    expect(scripts).toHaveProperty("test");
    expect(await readFile("LICENSE", "utf8")).toMatch(/Apache License\s+Version 2\.0/);
  });
});
