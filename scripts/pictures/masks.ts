import { fromBase64 } from "../../src/lib/base64.ts";
import { type MaskShape, unpackMasks } from "../../src/profiles/masks.ts";
import { element, label, picture } from "./svg.ts";

/** A line of profiles.ndjson. */
interface ProfileLine {
  readonly profile: string;
  readonly masks: string;
}

const CELL = 7;
const LEFT = 70;
const TOP = 46;
const COLOURS = { both: "#5b3f8c", first: "#2b8cbe", second: "#e6862e", neither: "#eee" };

/** Draws the adapters that two profiles choose: a row per layer and side, a column per adapter of the pool. */
export function drawMasks(a: ProfileLine, b: ProfileLine, shape: MaskShape): string {
  const { firstLayer, layers, size, chosen } = shape;
  const chosenSets = (masks: string) => {
    const adapters = unpackMasks(fromBase64(masks), shape);
    return Array.from({ length: 2 * layers }, (_, row) => new Set(adapters.subarray(row * chosen, (row + 1) * chosen)));
  };
  const [first, second] = [chosenSets(a.masks), chosenSets(b.masks)];
  let shared = 0;
  const cells = first.flatMap((adapters, row) =>
    Array.from({ length: size }, (_, adapter) => {
      const [inFirst, inSecond] = [adapters.has(adapter), second[row]?.has(adapter) ?? false];
      if (inFirst && inSecond) shared++;
      const kind = inFirst ? (inSecond ? "both" : "first") : inSecond ? "second" : "neither";
      const position = { x: LEFT + adapter * CELL, y: TOP + row * CELL + (row >> 1) * 2 };
      return element("rect", { ...position, width: CELL - 1, height: CELL - 1, fill: COLOURS[kind] });
    }),
  );
  const layerLabels = Array.from({ length: layers }, (_, layer) =>
    label(8, TOP + layer * (2 * CELL + 2) + 12, `layer ${firstLayer + layer + 1}`, { "font-size": 11 }),
  );
  const share = Math.round((100 * shared) / (2 * layers * chosen));
  const legend = [
    [0, COLOURS.both, `both: ${share}% of each profile's choices`],
    [270, COLOURS.first, `only ${a.profile}`],
    [410, COLOURS.second, `only ${b.profile}`],
    [550, COLOURS.neither, "neither"],
  ] as const;
  const legendItems = legend.flatMap(([offset, fill, text]) => {
    const x = LEFT + offset;
    return [element("rect", { x, y: 20, width: 11, height: 11, fill }), label(x + 17, 30, text, { "font-size": 12 })];
  });
  const height = TOP + layers * (2 * CELL + 2) + 26;
  const caption = label(LEFT, height - 8, `the pool's ${size} adapters; two rows for each layer: down and up`, {
    "font-size": 11,
  });
  const title = `The masks of profiles ${a.profile} and ${b.profile}`;
  return picture(LEFT + size * CELL + 10, height, title, ...legendItems, ...layerLabels, ...cells, caption);
}
