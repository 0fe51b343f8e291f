const COLOURS = 8;
const PATTERNS = 4;

/**
 * Returns the classes of a label's colour and pattern, by its place among the task's labels. Eight colours that people with
 * any colour vision tell apart, in four patterns: 32 labels differ, and the name always stands beside the mark.
 */
export const markClass = (place: number): string => `c${place % COLOURS} p${Math.floor(place / COLOURS) % PATTERNS}`;

/** A label's colour and pattern. */
export const LabelMark = ({ place }: { place: number }) => (
  <span class={`mark ${markClass(place)}`} aria-hidden="true" />
);
