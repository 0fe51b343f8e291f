import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";

interface PlotProps {
  /** What the plot shows, for people who cannot see it. */
  readonly label: string;
  readonly height: number;
  /** Anything but size and data. A new object draws a new plot. */
  readonly options: Omit<uPlot.Options, "width" | "height">;
  readonly data: uPlot.AlignedData;
  /** Receives the plot when it is drawn. */
  readonly onPlot?: (plot: uPlot) => void;
}

/** A plot by uPlot that is as wide as its place. */
export function Plot({ label, height, options, data, onPlot }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      drawn.current?.setSize({ width: entry?.contentRect.width ?? 0, height });
    });
    let isGone = false;
    const draw = async () => {
      // The module is in this script. It is evaluated now, as its formats of numbers would hold up the page's start.
      const { default: Plotter } = await import("uplot");
      const element = place.current;
      if (isGone || !element) return;
      drawn.current = new Plotter({ ...options, width: element.clientWidth, height }, latest.current, element);
      onPlot?.(drawn.current);
      observer.observe(element);
    };
    draw();
    return () => {
      isGone = true;
      observer.disconnect();
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [options]);
  useEffect(() => drawn.current?.setData(data), [data]);
  return <div ref={place} class="plot" role="img" aria-label={label} />;
}
