/** Attributes of an element. */
type Attributes = Readonly<Record<string, string | number>>;

const escapeXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** Returns an SVG element. Its content is SVG, too. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  return content.length === 0
    ? `<${name}${pairs.join("")}/>`
    : `<${name}${pairs.join("")}>${content.join("")}</${name}>`;
}

/** Returns a line of text. */
export const label = (x: number, y: number, text: string, attributes: Attributes = {}) =>
  element("text", { x, y, "font-size": 13, fill: "#222", ...attributes }, escapeXml(text));

/**
 * Returns a whole picture, readable on light and on dark pages.
 *
 * @param title the text alternative for screen readers
 */
export function picture(width: number, height: number, title: string, ...content: readonly string[]): string {
  return `${element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "font-family": "system-ui, sans-serif",
    },
    element("title", {}, escapeXml(title)),
    element("rect", { width: "100%", height: "100%", fill: "#fff" }),
    ...content,
  )}\n`;
}
