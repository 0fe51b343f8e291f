import { expect, it } from "vitest";
import { splitLabel } from "../../playground/parts/text.ts";

it("finds the task's label at the end of a line, in its canonical form too", () => {
  const labels = ["tech ", "Caf\u00e9"];
  expect(splitLabel("a text\t tech", labels)).toEqual({ text: "a text", label: "tech " });
  expect(splitLabel("a\ttext\tCafe\u0301\u00a0", labels)).toEqual({ text: "a\ttext", label: "Caf\u00e9" });
  expect(splitLabel("tech", labels)).toBeNull();
  expect(splitLabel("a text\tTech", labels)).toBeNull();
});
