// A plugin of Stryker's: what is said to people may be said in other words, so no test holds it word for word.
// What a sentence is made of, in its ${…}, is left out with it.
import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

const isSentence = (text) => /\s/.test(text) && /[.?!]$/.test(text);

/** The text of a string or a template, its values left out; undefined for any other node. */
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
