/**
 * Returns a colour of the design system as a canvas can use it.
 *
 * @param name the custom property, as in `--c0`. Its value depends on the colour scheme.
 */
export function colourOf(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
