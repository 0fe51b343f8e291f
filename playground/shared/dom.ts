/**
 * Returns the page's element with an id.
 *
 * @throws TypeError if there is no such element of this type, because page and script do not match
 */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`The page has no ${type.name} with the id "${id}".`);
  return found;
}

/** Makes an element with properties and content. Text stays text: it is never parsed as HTML. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...content: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content);
  return element;
}

/** Makes an element of SVG with attributes and content. */
export function makeSvg(tag: string, attributes: Record<string, string>, ...content: readonly Node[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element as SVGElement;
}

/** Makes a paragraph that says what is wrong. */
export const makeProblem = (message: string): HTMLParagraphElement => make("p", { className: "problem" }, message);

/** Fills a list of options, one per text, and keeps `chosen` selected if it is among them. */
export function fillOptions(select: HTMLSelectElement, texts: readonly string[], chosen?: string): void {
  select.replaceChildren(...texts.map((text) => new Option(text, text, false, text === chosen)));
}

/** Fills a description list with terms and their descriptions. */
export function fillTerms(list: HTMLElement, terms: Record<string, string>): void {
  list.replaceChildren(
    ...Object.entries(terms).flatMap(([term, description]) => [make("dt", {}, term), make("dd", {}, description)]),
  );
}
