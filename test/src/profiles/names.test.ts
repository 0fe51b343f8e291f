import { expect, it } from "vitest";
import { describeInvalidId, profilePattern } from "../../../src/profiles/names.ts";

it.each([
  ["_team", '"_team" begins with "_".'],
  ["-", '"-" begins with "-".'],
  ["jo+news@example.org", '"jo+news@example.org" has "+" in it.'],
  ["a b", '"a b" has " " in it.'],
  ["Zoë", '"Zoë" has "ë" in it.'],
  ["party🎉", '"party🎉" has "🎉" in it.'],
  ["a\n", '"a\\n" has "\\n" in it.'],
  ["", '"" is empty.'],
  ["a".repeat(129), `"${"a".repeat(40)}…" has 129 characters.`],
])("says what is wrong with the id %j", (id, fault) => {
  expect(id).not.toMatch(profilePattern);
  expect(describeInvalidId(id)).toBe(
    `${fault} A profile's id has 1 to 128 of the characters A-Z a-z 0-9 . _ : @ - and starts with a letter or a digit`,
  );
});
