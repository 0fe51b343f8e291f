import { computed, effect, signal } from "@preact/signals";

const STORED = "xpeft-theme";

/** The colour schemes that a user can choose. `auto` is the system's. */
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const stored = THEMES.find((theme) => theme === localStorage.getItem(STORED));

/** The chosen colour scheme. The browser remembers it. */
export const theme = signal<Theme>(stored ?? "auto");

/** Applies the chosen colour scheme to the page. */
export const keepTheme = (): (() => void) =>
  effect(() => {
    document.documentElement.style.colorScheme = theme.value === "auto" ? "light dark" : theme.value;
    localStorage.setItem(STORED, theme.value);
  });

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(darkSystem.matches);
darkSystem.addEventListener("change", ({ matches }) => {
  isSystemDark.value = matches;
});

/** Whether the page is dark now. */
export const isDark = computed(() => (theme.value === "auto" ? isSystemDark.value : theme.value === "dark"));
