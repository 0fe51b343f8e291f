import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { MaskShape } from "../../src/profiles/masks.ts";
import type { Profile } from "../api/answers.ts";
import { percent } from "../parts/text.ts";
import { maskVector } from "./vectors.ts";

const CELL = 14;
const ADAPTERS_A_LINE = 32;

interface GridProps {
  readonly row: Profile;
  readonly shape: MaskShape;
  /** For each adapter of each mask, the share of profiles that choose it; null while it is being counted. */
  readonly popularity: Float64Array | null;
}

const projectionOf = (mask: number): string => (mask % 2 === 0 ? "down" : "up");

/** A profile's masks, a line of cells for each. The pointer or the arrow keys choose a cell, which is then put in words. */
export function MaskGrid({ row, shape, popularity }: GridProps) {
  const { size, layers, firstLayer } = shape;
  const vector = useMemo(() => maskVector(row, shape) ?? new Uint8Array(), [row, shape]);
  const place = useSignal(0);
  const lines = Math.ceil(size / ADAPTERS_A_LINE);
  const width = CELL * Math.min(size, ADAPTERS_A_LINE);
  const [mask, adapter] = [Math.floor(place.value / size), place.value % size];
  const moves: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: size, ArrowUp: -size };
  const titleOf = (of: number) => `Layer ${firstLayer + Math.floor(of / 2) + 1}, ${projectionOf(of)}`;
  const words = `${titleOf(mask)}, adapter ${adapter + 1}: ${vector[place.value] ? "chosen" : "not chosen"}. ${popularity ? `${percent(popularity[place.value] ?? 0)} of the profiles choose it.` : ""}`;
  return (
    <>
      <div
        id="mask-grid"
        class="mask-grid"
        role="slider"
        aria-label="Adapter"
        aria-valuemin={1}
        aria-valuemax={vector.length}
        aria-valuenow={place.value + 1}
        aria-valuetext={words}
        tabIndex={0}
        onKeyDown={(event) => {
          const move = moves[event.key];
          if (move === undefined) return;
          event.preventDefault();
          const next = place.value + move;
          if (next >= 0 && next < vector.length) place.value = next;
        }}
        onPointerOver={({ target }) => {
          const cell = target instanceof Element ? target.getAttribute("data-place") : null;
          if (cell !== null) place.value = Number(cell);
        }}
      >
        {Array.from({ length: 2 * layers }, (_, of) => (
          <div key={titleOf(of)} class="mask">
            <span>{titleOf(of)}</span>
            <svg viewBox={`0 0 ${width} ${CELL * lines}`} aria-hidden="true">
              {Array.from({ length: size }, (_cell, at) => {
                const index = of * size + at;
                return (
                  <rect
                    key={index}
                    data-place={index}
                    class={`${vector[index] ? "chosen" : ""} ${place.value === index ? "current" : ""}`}
                    x={CELL * (at % ADAPTERS_A_LINE) + 2}
                    y={CELL * Math.floor(at / ADAPTERS_A_LINE) + 2}
                    width={CELL - 4}
                    height={CELL - 4}
                    stroke-opacity={0.25 + 0.75 * (popularity?.[index] ?? 0)}
                  />
                );
              })}
            </svg>
          </div>
        ))}
      </div>
      <p id="mask-cell">{words}</p>
    </>
  );
}
