import { element, label, picture } from "./svg.ts";

const ADAPTERS = 12;
const FIRST = 402;
const PITCH = 20;
const CELL = 15;
const SHARED = "#d9e8f5";
const PROFILE = "#f9d9b8";

/** Two people of the demo, what each chooses of the pool, and what each says. */
const PEOPLE = [
  { id: "person-000", chosen: new Set([1, 4, 9]), says: "archive", top: 132 },
  { id: "person-001", chosen: new Set([2, 4, 7]), says: "now", top: 222 },
];
const LANE_HEIGHT = 68;

const box = (x: number, y: number, width: number, height: number, fill: string) =>
  element("rect", { x, y, width, height, rx: 6, fill, stroke: "#555" });

const arrow = (x1: number, y1: number, x2: number, y2: number) =>
  element("line", { x1, y1, x2, y2, stroke: "#333", "stroke-width": 1.5, "marker-end": "url(#tip)" });

const ARROW_HEAD = element(
  "defs",
  {},
  element(
    "marker",
    { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    element("path", { d: "M0 0L8 4L0 8z", fill: "#333" }),
  ),
);

const centred = { "text-anchor": "middle" };
const bold = { "font-weight": 600 };
const small = { "font-size": 11.5, fill: "#444" };

/** Draws the adapters that all profiles share. Each stands above its bit of the masks. */
function pool(): string {
  const adapters = Array.from({ length: ADAPTERS }, (_, adapter) =>
    element("rect", {
      x: FIRST + adapter * PITCH,
      y: 44,
      width: CELL,
      height: 46,
      rx: 3,
      fill: SHARED,
      stroke: "#555",
    }),
  );
  return [
    label(FIRST, 22, "adapter pool: shared by all profiles", bold),
    label(FIRST, 37, "small layers; here 12 of 32", small),
    ...adapters,
    label(FIRST, 108, "a mask picks some; their mean changes the last layer", small),
  ].join("");
}

/** Draws what one person adds to the model, from the text to their label. */
function lane({ id, chosen, says, top }: (typeof PEOPLE)[number]): string {
  const middle = top + LANE_HEIGHT / 2;
  const bits = Array.from({ length: ADAPTERS }, (_, adapter) => {
    const [x, y] = [FIRST + adapter * PITCH, top + 25];
    const fill = chosen.has(adapter) ? "#c2600b" : "#fff";
    return element("rect", { x, y, width: CELL, height: CELL, rx: 2, fill, stroke: "#8a4b00" });
  });
  return [
    arrow(326, middle, 382, middle),
    box(386, top, 270, LANE_HEIGHT, PROFILE),
    label(FIRST, top + 17, id, bold),
    ...bits,
    label(FIRST, top + 58, "masks: 8 bytes, label bias: 3 bytes", small),
    arrow(656, middle, 692, middle),
    arrow(786, middle, 822, middle),
    label(830, middle + 6, says, { "font-size": 17, "font-weight": 700 }),
  ].join("");
}

const legend = (x: number, fill: string, text: string) =>
  element("rect", { x, y: 312, width: 12, height: 12, fill, stroke: "#555" }) + label(x + 18, 323, text, small);

/** Draws how two profiles make two answers of one text: shared parts in blue, parts of one profile in orange. */
export function drawMethod(): string {
  return picture(
    910,
    336,
    "One text, one shared language model, two profiles: each profile's masks pick adapters of the shared pool, and the two give the labels archive and now",
    ARROW_HEAD,
    box(14, 180, 132, 62, "#fff"),
    label(80, 205, "“Your electricity", centred),
    label(80, 225, "bill is attached”", centred),
    arrow(146, 211, 178, 211),
    box(182, 132, 144, 158, SHARED),
    label(254, 190, "language model", { ...centred, ...bold }),
    label(254, 214, "frozen, shared by all", { ...centred, ...small }),
    label(254, 232, "reads a text once", { ...centred, ...small }),
    label(254, 250, "for all profiles", { ...centred, ...small }),
    pool(),
    ...PEOPLE.map(lane),
    box(694, 132, 92, 158, SHARED),
    label(740, 196, "the task's", { ...centred, ...bold }),
    label(740, 214, "head", { ...centred, ...bold }),
    label(740, 238, "+ label bias", { ...centred, ...small, fill: "#8a4b00" }),
    legend(14, SHARED, "shared by all profiles of a task"),
    legend(230, PROFILE, "belongs to one profile"),
  );
}
