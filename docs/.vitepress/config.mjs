// The site at /docs, from the project's own Markdown files. Their links also work on GitHub, so the build rewrites them.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { slug } from "github-slugger";
import { lexer } from "marked";
import { accessibleTheme } from "./accessible.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const BASE = "/docs/";

/** Returns the page of a Markdown file, without a suffix. All pages are in one folder. */
export function pageOf(path) {
  const name = basename(path, ".md");
  if (name !== "README") return name.toLowerCase();
  const folder = dirname(path);
  return folder === "." ? "index" : basename(folder);
}

/** Returns the title of a Markdown file. */
const titleOf = (path) => /^# (.+)$/m.exec(readFileSync(join(root, path), "utf8"))[1];

/** Returns the sidebar's groups: the rows of README's table of all documents, with the titles of the pages. */
function sidebar() {
  const [table] = lexer(readFileSync(join(root, "README.md"), "utf8")).filter(
    ({ type, header }) => type === "table" && header[0].text === "if you",
  );
  return table.rows.map(([reader, documents]) => ({
    text: `If you ${reader.text}`,
    items: documents.tokens
      .filter(({ type }) => type === "link")
      .map(({ href }) => ({ text: titleOf(href), link: `/${pageOf(href)}` })),
  }));
}

/** Returns text tokens that name a file. The sources have no public address, so no link can lead there. */
function namedFile(state, path, content) {
  const code = Object.assign(new state.Token("code_inline", "code", 0), { content: path });
  if (path.endsWith(content.map(({ content }) => content).join(""))) return [code];
  const text = (content) => Object.assign(new state.Token("text", "", 0), { content });
  return [...content, text(" ("), code, text(")")];
}

/** Returns the tokens of a link for the site: to a page, to a picture, or the name of a file that is neither. */
function rewriteLink(state, [open, ...rest], file) {
  const [path, anchor] = decodeURI(open.attrGet("href")).split("#");
  const target = relative(root, join(dirname(file), path));
  if (!existsSync(join(root, target)))
    throw new Error(`${relative(root, file)} links to ${target}, which does not exist.`);
  if (target.endsWith(".md")) {
    const page = pageOf(target).replace(/^index$/, "");
    open.attrSet("href", `/${page}${anchor === undefined ? "" : `#${anchor}`}`);
    // A file's name says nothing on the site.
    if (rest[0].content === path) rest[0].content = titleOf(target);
  } else if (/\.(svg|png|webp)$/.test(target)) {
    open.attrSet("href", `./${path}`);
  } else {
    return namedFile(state, target, rest.slice(0, -1));
  }
  return [open, ...rest];
}

/** Rewrites all links of a file to other files. */
function rewriteLinks(md) {
  md.core.ruler.push("links_to_files", (state) => {
    const file = state.env.realPath ?? state.env.path;
    for (const block of state.tokens.filter(({ type }) => type === "inline")) {
      const tokens = block.children;
      for (let start = 0; start < tokens.length; start++) {
        if (tokens[start].type !== "link_open" || /^([a-z]+:|#)/.test(tokens[start].attrGet("href"))) continue;
        const count = tokens.slice(start).findIndex(({ type }) => type === "link_close") + 1;
        tokens.splice(start, count, ...rewriteLink(state, tokens.slice(start, start + count), file));
      }
    }
  });
}

/** Scripts that VitePress writes into each page, by the names of their files. */
const inlineScripts = new Map();

/** Moves the inline scripts of a page to files, because the Worker's security policy allows no inline script. */
function moveInlineScripts(html) {
  return html.replaceAll(/<script id="[a-z-]+">(.+?)<\/script>/gs, (_, script) => {
    const name = `assets/inline.${createHash("sha256").update(script).digest("hex").slice(0, 8)}.js`;
    inlineScripts.set(name, script);
    return `<script src="${BASE}${name}"></script>`;
  });
}

/** VitePress's style sheet of icons, which is empty: the site has no links to social media. */
const ICONS = "vp-icons.css";

/** @type {import("vitepress").UserConfig} */
export default {
  title: "xpeft-edge",
  description: "Every user, author or tenant gets their own text classifier, served at the edge.",
  lang: "en",
  base: BASE,
  cleanUrls: true,
  srcDir: "..",
  // The report contains the notes.
  srcExclude: ["!(README|CONTRIBUTING|CHANGELOG).md", "!(bench|docs|training)/*/**", "training/results/notes.md"],
  rewrites: (path) => `${pageOf(path)}.md`,
  cacheDir: "../node_modules/.cache/vitepress",
  ignoreDeadLinks: "localhostLinks",
  head: [["link", { rel: "icon", href: "data:," }]],
  // Else each page has its data as an inline script.
  metaChunk: true,
  transformHtml: (html) =>
    moveInlineScripts(html).replace(`<link rel="preload stylesheet" href="${BASE}${ICONS}" as="style">`, ""),
  buildEnd({ outDir }) {
    rmSync(join(outDir, ICONS));
    for (const [name, script] of inlineScripts) writeFileSync(join(outDir, name), script);
  },
  markdown: {
    anchor: { slugify: slug },
    config: rewriteLinks,
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  vite: { plugins: [accessibleTheme], build: { assetsInlineLimit: 0 } },
  vue: {
    template: {
      transformAssetUrls: { includeAbsolute: false, tags: { a: ["href"], img: ["src"], source: ["srcset"] } },
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    notFound: {
      title: "There is no such page",
      quote: "It may have another name in this version.",
      linkText: "Overview",
    },
    // VitePress puts the base before absolute links, and both are outside of it.
    nav: [
      { text: "Overview", link: "/" },
      { text: "API viewer", link: "../api", target: "_self" },
      { text: "Playground", link: "../", target: "_self" },
    ],
    sidebar: sidebar(),
  },
};
