const RIVER = [
  "The river is high today.",
  "A boat on the lake",
  "Rain fills the pond.",
  "Waves break on the shore",
  "The stream runs clear",
];
const ENGINE = [
  "The engine will not start.",
  "A wrench and two bolts",
  "Oil leaks from the gearbox.",
  "Sparks from the motor",
  "The pump is loud",
];

/** Returns labelled texts, alternating between water and machines. */
export function examplesOf(count: number, [water, machine]: readonly [string, string] = ["low", "high"]) {
  return Array.from({ length: count }, (_, number) => {
    const texts = number % 2 === 0 ? RIVER : ENGINE;
    const round = Math.floor(number / 10);
    const text = texts[Math.floor(number / 2) % texts.length] ?? "";
    return { text: round > 0 ? `${text} Again, ${round}.` : text, label: number % 2 === 0 ? water : machine };
  });
}

/** Returns rows as JSON Lines. */
export const jsonLines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Returns examples with the profile that they are of. */
export const withProfile = (profile: string, examples: readonly object[]) =>
  examples.map((example) => ({ ...example, profile }));
