import { element, label, picture } from "./svg.ts";

const ADAPTERS = 12;
const CHOSEN = new Set([0, 2, 3, 6, 8, 11]);
const SHARED = "#d9e8f5";
const PROFILE = "#f9d9b8";

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

/** Draws how a profile's masks make an answer: shared parts in blue, parts of one profile in orange. */
export function drawMethod(): string {
  const pool = Array.from({ length: ADAPTERS }, (_, adapter) => {
    const x = 30 + adapter * 26;
    const chosen = CHOSEN.has(adapter);
    return [
      element("rect", {
        x,
        y: 60,
        width: 18,
        height: 56,
        rx: 3,
        fill: SHARED,
        stroke: chosen ? "#222" : "#bbb",
        "stroke-width": chosen ? 2 : 1,
      }),
      element("rect", { x, y: 140, width: 18, height: 18, fill: chosen ? PROFILE : "#fff", stroke: "#555" }),
      label(x + 9, 154, chosen ? "1" : "0", centred),
    ].join("");
  });
  return picture(
    800,
    300,
    "A profile's mask chooses adapters of the shared pool; their mean is its adapter in the frozen encoder",
    ARROW_HEAD,
    label(30, 34, "adapter pool of a layer: random, frozen, shared by all", { "font-weight": 600 }),
    ...pool,
    label(30, 182, "a profile's mask: one bit for each adapter, k of them 1", { "font-weight": 600 }),
    label(30, 202, "down and up: 64 bytes, most of what a profile stores", { fill: "#555" }),
    arrow(346, 108, 404, 108),
    label(375, 98, "mean", centred),
    box(408, 72, 130, 66, PROFILE),
    label(473, 100, "merged adapter", centred),
    label(473, 120, "in the last layer", { ...centred, "font-size": 11 }),
    arrow(538, 105, 588, 105),
    box(592, 40, 180, 130, SHARED),
    label(682, 80, "frozen encoder", { ...centred, "font-weight": 600 }),
    label(682, 102, "MiniLM, int8, 6 layers", centred),
    label(682, 124, "with the merged adapter", { ...centred, "font-size": 11 }),
    label(682, 16, "text", centred),
    arrow(682, 20, 682, 38),
    arrow(682, 170, 682, 206),
    box(592, 208, 180, 40, SHARED),
    label(682, 233, "the task's head", centred),
    arrow(592, 228, 540, 228),
    label(470, 224, "label and scores", centred),
    label(470, 244, "+ label bias: 1 byte a label", { ...centred, "font-size": 11, fill: "#a05a12" }),
    element("rect", { x: 30, y: 262, width: 12, height: 12, fill: SHARED, stroke: "#555" }),
    label(48, 273, "shared by all profiles", { "font-size": 12 }),
    element("rect", { x: 220, y: 262, width: 12, height: 12, fill: PROFILE, stroke: "#555" }),
    label(238, 273, "belongs to one profile", { "font-size": 12 }),
  );
}
