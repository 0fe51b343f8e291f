import { readFile } from "node:fs/promises";
import { element, label } from "./svg.ts";

const HEIGHT = 20;
const PADDING = 8;
/** About the mean width of a letter of this size. The text is centred, because fonts differ. */
const LETTER = 6.2;
const FONT_SIZE = 11;

/** The demo's tasks, whose profiles `npm start` serves. */
const DEMO_TASKS = ["inbox", "news", "offense"];

interface Claim {
  readonly data: string;
  readonly method: string;
  readonly bytes: number;
}

const readJson = async (path: string) => JSON.parse(await readFile(path, "utf8"));

const widthOf = (text: string) => Math.round(text.length * LETTER) + 2 * PADDING;

/** Returns a part of a badge. */
function part(x: number, text: string, fill: string): string {
  const width = widthOf(text);
  return [
    element("rect", { x, width, height: HEIGHT, fill }),
    label(x + width / 2, 14, text, { "font-size": FONT_SIZE, fill: "#fff", "text-anchor": "middle" }),
  ].join("");
}

/** Draws a badge: a word, and what is true of it. */
function badge(name: string, value: string): string {
  const left = widthOf(name);
  const width = left + widthOf(value);
  const svg = { xmlns: "http://www.w3.org/2000/svg", width, height: HEIGHT, role: "img" };
  const title = element("title", {}, `${name}: ${value}`);
  const round = element("clipPath", { id: "round" }, element("rect", { width, height: HEIGHT, rx: 4 }));
  const parts = element("g", { "clip-path": "url(#round)" }, part(0, name, "#4a4f57"), part(left, value, "#0059b8"));
  return `${element("svg", { ...svg, "font-family": "system-ui, sans-serif" }, title, round, parts)}\n`;
}

/** Returns README's badges by file name. Their facts come from the package and from the committed results. */
export async function drawBadges(): Promise<Map<string, string>> {
  const { license } = await readJson("package.json");
  const claims: readonly Claim[] = await readJson("training/results/claims.json");
  const bytes = claims
    .filter(({ data, method }) => DEMO_TASKS.includes(data) && method === "profile")
    .map((claim) => claim.bytes);
  return new Map([
    ["badge-licence.svg", badge("licence", license)],
    ["badge-profile.svg", badge("a demo profile", `${Math.min(...bytes)} to ${Math.max(...bytes)} bytes`)],
    ["badge-tests.svg", badge("tests", "npm test")],
  ]);
}
