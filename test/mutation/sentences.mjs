// A Stryker plugin that skips sentences for people: their wording may change, so no test checks it word for word.
// The values in a sentence's ${…} are skipped with it.
import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

const isSentence = (text) => /\s/.test(text) && /[.?!]$/.test(text);

/** Returns the text of a string or a template without its values; undefined for any other node. */
function textOf({ node }) {
  if (node.type === "StringLiteral") return node.value;
  if (node.type === "TemplateLiteral") return node.quasis.map(({ value }) => value.raw).join("…");
  return undefined;
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, "sentences", {
    shouldIgnore: (path) => (isSentence(textOf(path) ?? "") ? "A sentence for people." : undefined),
  }),
];
