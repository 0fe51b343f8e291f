import type { Tokens } from "marked";
import { tokensOf } from "../support/documents.ts";
import type { RuntimeName } from "./runtime.ts";

/** The page that says what differs between the platforms. Tests take their exceptions from it alone. */
const PAGE = "docs/platforms.md";

const COLUMNS: Readonly<Record<RuntimeName, string>> = { workerd: "Workers", node: "Node", deno: "Deno", bun: "Bun" };

const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

/** Returns the page's table by its first header. */
async function tableOf(header: string): Promise<Tokens.Table> {
  const tables = (await tokensOf(PAGE)).filter((token) => token.type === "table") as Tokens.Table[];
  const table = tables.find((one) => one.header[0]?.text === header);
  if (!table) throw new RangeError(`${PAGE} has no table of "${header}"`);
  return table;
}

/** Returns the names of the headers that may differ. */
export async function differingHeaders(): Promise<ReadonlySet<string>> {
  const { rows } = await tableOf("header");
  return new Set(rows.flatMap(([first]) => codeIn(first?.text ?? "")));
}

/** Returns what the page says of a runtime. @param what the row's first cell */
export async function platformOf(name: RuntimeName, what: string): Promise<string> {
  const { header, rows } = await tableOf("what");
  const column = header.findIndex(({ text }) => text === COLUMNS[name]);
  const cell = rows.find(([first]) => first?.text === what)?.[column];
  if (!cell) throw new RangeError(`${PAGE} does not say what ${name} does about "${what}"`);
  return cell.text;
}
