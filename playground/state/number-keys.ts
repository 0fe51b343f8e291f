import { effect, signal } from "@preact/signals";

const STORED = "xpeft-number-keys";

/** Whether number keys label sentences. Who speaks to the page, or hits keys by accident, can switch them off. */
export const numberKeys = signal(localStorage.getItem(STORED) !== "off");

effect(() => localStorage.setItem(STORED, numberKeys.value ? "on" : "off"));
