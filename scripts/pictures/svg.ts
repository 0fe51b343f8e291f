/** Attributes of an element. */
type Attributes = Readonly<Record<string, string | number>>;

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** An element of SVG; what is in it is SVG already. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  return content.length === 0
    ? `<${name}${written.join("")}/>`
    : `<${name}${written.join("")}>${content.join("")}</${name}>`;
}

/** A line of text. */
export const label = (x: number, y: number, text: string, attributes: Attributes = {}) =>
  element("text", { x, y, "font-size": 13, fill: "#222", ...attributes }, escaped(text));

/** A whole picture, readable on light and on dark pages. @param title what it shows, for those who do not see it */
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
    element("title", {}, escaped(title)),
    element("rect", { width: "100%", height: "100%", fill: "#fff" }),
    ...content,
  )}\n`;
}
