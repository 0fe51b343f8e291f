import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

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
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const plot = new uPlot({ ...options, width: element.clientWidth, height }, data, element);
    drawn.current = plot;
    onPlot?.(plot);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [options]);
  useEffect(() => drawn.current?.setData(data), [data]);
  return <div ref={place} class="plot" role="img" aria-label={label} />;
}
