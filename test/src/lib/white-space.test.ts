import { expect, it } from "vitest";
import { isBlank, trimWhiteSpace } from "../../../src/lib/white-space.ts";

/** Every character that Unicode calls White_Space. */
const WHITE =
  "\t\n\v\f\r \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

it("is what Unicode says, without the byte order mark and other characters of no width", () => {
  expect([isBlank(WHITE), isBlank(""), isBlank(`${WHITE}a`)]).toEqual([true, true, false]);
  for (const other of ["\ufeff", "\u200b", "\u180e", "\x1c", "\0"]) expect(isBlank(other)).toBe(false);
});

it("is removed at both ends only", () => {
  expect(trimWhiteSpace(`${WHITE}a${WHITE}b${WHITE}`)).toBe(`a${WHITE}b`);
  expect(["a", "", WHITE, "\ufeff"].map(trimWhiteSpace)).toEqual(["a", "", "", "\ufeff"]);
});
