import type { Signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Profile, Task } from "../api/answers.ts";
import { type Agreement, compareState } from "../compare/state.ts";
import { colourOf } from "../parts/colours.ts";
import { LabelMark } from "../parts/label-mark.tsx";
import { Plot } from "../parts/plot.tsx";
import { useLater } from "../parts/use-later.ts";
import { isDark } from "../state/theme.ts";
import { placesOf } from "./similarity.ts";
import type { Vectors } from "./vectors.ts";

const HEIGHT = 320;
const MARGIN = 1.08;
/** CSS pixels. */
const POINT = 3;
const CHOSEN_POINT = 7;

interface MapProps {
  readonly task: Task;
  readonly rows: readonly Profile[];
  readonly vectors: Vectors;
  readonly chosen: Signal<string | null>;
}

/** Returns the labels of the other view's sentence with their members, the most frequent first; none if some are missing. */
const groupsOf = (agreement: Agreement | null, text: string) =>
  agreement && !agreement.isPartial && agreement.text === text
    ? [...agreement.byLabel].sort(([, a], [, b]) => b.length - a.length)
    : [];

/** Draws a point for each profile, in the colour of its label, and the chosen one larger. */
function drawPoints(plot: uPlot, rows: readonly Profile[], colours: readonly string[], chosen: string | null): void {
  const ink = colourOf("--ink");
  const { ctx } = plot;
  const [xs = [], ys = []] = plot.data;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const [row, { profile }] of rows.entries()) {
    const size = ratio * (profile === chosen ? CHOSEN_POINT : POINT);
    const [x, y] = [plot.valToPos(xs[row] ?? 0, "x", true), plot.valToPos(ys[row] ?? 0, "y", true)];
    ctx.fillStyle = colours[row] ?? "";
    ctx.fillRect(x - size, y - size, 2 * size, 2 * size);
    if (profile !== chosen) continue;
    ctx.strokeStyle = ink;
    ctx.lineWidth = 2 * ratio;
    ctx.strokeRect(x - size - 2, y - size - 2, 2 * size + 4, 2 * size + 4);
  }
  ctx.restore();
}

/** Returns the row nearest to a point of the plot, in CSS pixels. */
function nearestRow(plot: uPlot, left: number, top: number): number {
  const [xs = [], ys = []] = plot.data;
  let [best, least] = [-1, Number.POSITIVE_INFINITY];
  for (let row = 0; row < xs.length; row++) {
    const distance = Math.hypot(plot.valToPos(xs[row] ?? 0, "x") - left, plot.valToPos(ys[row] ?? 0, "y") - top);
    if (distance < least) [best, least] = [row, distance];
  }
  return best;
}

/** A map of all profiles: who stores alike lies close together. */
export function SimilarityMap({ task, rows, vectors, chosen }: MapProps) {
  const found = useLater((signal) => placesOf(vectors.rows, signal), [vectors]);
  const plot = useRef<uPlot | null>(null);
  const { agreement, text } = compareState(task.task);
  const groups = useMemo(() => groupsOf(agreement.value, text.value), [agreement.value, text.value]);
  const labels = useMemo(
    () => new Map(groups.flatMap(([label, members]) => members.map(({ profile }) => [profile, label] as const))),
    [groups],
  );
  const current = useRef({ rows, labels, chosen: chosen.value });
  current.current = { rows, labels, chosen: chosen.value };
  const dark = isDark.value;
  const options = useMemo((): Omit<uPlot.Options, "width" | "height"> => {
    const palette = task.labels.map((_, place) => colourOf(`--c${place % 8}`));
    const plain = colourOf("--plot-second");
    const range: [number, number] = [-MARGIN, MARGIN];
    return {
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range }, y: { range } },
      axes: [{ show: false }, { show: false }],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [
          (drawn) => {
            const { rows: all, labels: byProfile, chosen: id } = current.current;
            const colours = all.map(
              ({ profile }) => palette[task.labels.indexOf(byProfile.get(profile) ?? "")] ?? plain,
            );
            drawPoints(drawn, all, colours, id);
          },
        ],
        ready: [
          (drawn) =>
            drawn.over.addEventListener("click", ({ offsetX, offsetY }) => {
              chosen.value = current.current.rows[nearestRow(drawn, offsetX, offsetY)]?.profile ?? chosen.peek();
            }),
        ],
      },
    };
  }, [task, chosen, dark]);
  const data = useMemo((): uPlot.AlignedData => [[...(found?.x ?? [])], [...(found?.y ?? [])]], [found]);
  useEffect(() => plot.current?.redraw(false), [chosen.value, rows, labels]);
  return (
    <section class="card" aria-labelledby="map-title">
      <h2 id="map-title">Map by {vectors.byMasks ? "masks" : "label biases"}</h2>
      {found && found.x.length === rows.length ? (
        <Plot
          label={`A map of ${rows.length} profiles. The list holds the same profiles.`}
          height={HEIGHT}
          options={options}
          data={data}
          onPlot={(drawn) => {
            plot.current = drawn;
          }}
        />
      ) : (
        <p class="empty">Drawing the map…</p>
      )}
      <p class="legend">
        {groups.length > 0 ? `Colour: what each says of “${text.value}”.` : "Press a point to see its profile."}
        {groups.slice(0, 8).map(([label]) => (
          <span key={label}>
            <LabelMark place={task.labels.indexOf(label)} />
            {label}
          </span>
        ))}
      </p>
    </section>
  );
}
