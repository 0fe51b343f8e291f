import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows beyond the visible ones that are drawn, so that scrolling shows no gap. */
const OVERSCAN = 8;

/** What a key does to the chosen row. */
const MOVES: Readonly<Record<string, (place: number, page: number, last: number) => number>> = {
  ArrowDown: (place) => place + 1,
  ArrowUp: (place) => place - 1,
  PageDown: (place, page) => place + page,
  PageUp: (place, page) => place - page,
  Home: () => 0,
  End: (_place, _page, last) => last,
};

interface WindowedListProps<Item> {
  readonly id: string;
  readonly label: string;
  readonly items: readonly Item[];
  readonly rowHeight: number;
  /** The place of the chosen item; -1 for none. */
  readonly chosen: number;
  readonly onChoose: (place: number) => void;
  readonly keyOf: (item: Item) => string;
  readonly children: (item: Item) => ComponentChildren;
}

/**
 * A list box of which only the rows in view are drawn, so that 10,000 rows cost as little as 20. It is one stop of the tab
 * key; arrows, Page Up, Page Down, Home and End choose a row.
 */
export function WindowedList<Item>({
  id,
  label,
  items,
  rowHeight,
  chosen,
  onChoose,
  keyOf,
  children,
}: WindowedListProps<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const [, redraw] = useState({});
  const options = {
    count: items.length,
    overscan: OVERSCAN,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw({}),
  };
  const [rows] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options));
  rows.setOptions(options);
  useLayoutEffect(() => rows._didMount(), []);
  useLayoutEffect(() => rows._willUpdate());
  const known = chosen >= 0 && chosen < items.length;
  useLayoutEffect(() => {
    if (known) rows.scrollToIndex(chosen, { align: "auto" });
  }, [chosen, known, rows]);

  const onKeyDown = (event: KeyboardEvent) => {
    const move = MOVES[event.key];
    if (!move || items.length === 0) return;
    event.preventDefault();
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 1);
    const last = items.length - 1;
    onChoose(Math.min(last, Math.max(0, move(chosen, page, last))));
  };
  const optionId = (place: number) => `${id}-${place}`;
  const virtual = rows.getVirtualItems();
  const isDrawn = virtual.some(({ index }) => index === chosen);
  return (
    <div
      id={id}
      ref={box}
      class="windowed"
      role="listbox"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={isDrawn ? optionId(chosen) : undefined}
      onKeyDown={onKeyDown}
    >
      <div class="windowed-rows" role="presentation" style={{ height: `${rows.getTotalSize()}px` }}>
        {virtual.map(({ index, start }) => {
          const item = items[index];
          return item === undefined ? null : (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list box handles keys
            // biome-ignore lint/a11y/useFocusableInteractive: the list box has the focus, as a row may go out of view
            <div
              key={keyOf(item)}
              id={optionId(index)}
              class="windowed-row"
              role="option"
              aria-selected={index === chosen}
              aria-posinset={index + 1}
              aria-setsize={items.length}
              style={{ height: `${rowHeight}px`, transform: `translateY(${start}px)` }}
              onClick={() => {
                onChoose(index);
                box.current?.focus();
              }}
            >
              {children(item)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
