import { computed, signal } from "@preact/signals";

/** The app's views, by path. */
export const VIEWS = {
  "/": "Compare",
  "/teach": "Teach",
  "/profiles": "Profiles",
} as const;

/** A path of the app. */
export type Path = keyof typeof VIEWS;

const isPath = (path: string): path is Path => path in VIEWS;

const address = signal(location.pathname);

/** The path of the view that is shown. */
export const path = computed<Path>(() => (isPath(address.value) ? address.value : "/"));

/** Shows another view, with an entry in the browser's history. */
export function go(to: Path): void {
  if (to === path.value) return;
  history.pushState(null, "", `${to}${location.search}`);
  address.value = to;
  window.scrollTo(0, 0);
}

window.addEventListener("popstate", () => {
  address.value = location.pathname;
});
