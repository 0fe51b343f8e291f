import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Access,
  permittedPrefix,
  requireProfile,
  requireScope,
  requireTask,
  requireWholeTask,
} from "../../../src/auth/access.ts";
import { errorWithCode } from "../../support/errors.ts";

const access = (parts: Partial<Access> = {}): Access => ({
  id: "k",
  scopes: ["write"],
  task: null,
  profilePrefix: "",
  expiresAt: null,
  ...parts,
});

const outside = errorWithCode("outside_confinement");
const id = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 4 });

describe("a key's permissions", () => {
  it("never accept one scope for another", () => {
    expect(() => requireScope(access(), "write")).not.toThrow();
    for (const scope of ["predict", "admin"] as const) {
      expect(() => requireScope(access(), scope)).toThrow(errorWithCode("scope_missing"));
    }
  });

  it("cover everything without a confinement", () => {
    expect(() => requireWholeTask(access(), "news")).not.toThrow();
    expect(() => requireProfile(access(), "news", "x")).not.toThrow();
    expect(permittedPrefix(access(), "news", "te")).toBe("te");
  });

  it("cover its task, and the whole task only without a prefix", () => {
    expect(() => requireTask(access({ task: "news" }), "new")).toThrow(outside);
    expect(() => requireWholeTask(access({ task: "news" }), "news")).not.toThrow();
    expect(() => requireWholeTask(access({ task: "news", profilePrefix: "a" }), "news")).toThrow(outside);
    expect(() => requireWholeTask(access({ profilePrefix: "a" }), "news")).toThrow(outside);
    expect(() => permittedPrefix(access({ task: "news" }), "other", "")).toThrow(outside);
  });

  it("are named in the error of a request outside them", () => {
    const confined = access({ task: "news", profilePrefix: "team-" });
    expect(() => requireTask(confined, "other")).toThrow('task "other"');
    expect(() => requireWholeTask(confined, "other")).toThrow('permission for task "other"');
    expect(() => requireWholeTask(confined, "news")).toThrow('all of task "news"');
    expect(() => permittedPrefix(confined, "other", "")).toThrow('permission for task "other"');
    expect(() => permittedPrefix(confined, "news", "x")).toThrow('profiles of task "news" that start with "x"');
    expect(() => requireProfile(confined, "other", "team-a")).toThrow('permission for task "other"');
    expect(() => requireProfile(confined, "news", "a")).toThrow('profile "a" of task "news"');
    expect(permittedPrefix(confined, "news", "te")).toBe("team-");
    expect(permittedPrefix(confined, "news", "team-a")).toBe("team-a");
  });

  it("list exactly the profiles that they also permit one by one, for any requested prefix", () => {
    const resultOrFalse = (work: () => unknown) => {
      try {
        return work() ?? true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(id, id, id, (profilePrefix, requested, profile) => {
        const key = access({ profilePrefix });
        const prefix = resultOrFalse(() => permittedPrefix(key, "news", requested)) as string | false;
        const listed = prefix !== false && profile.startsWith(prefix);
        const permitted =
          resultOrFalse(() => requireProfile(key, "news", profile)) !== false && profile.startsWith(requested);
        expect(listed).toBe(permitted);
      }),
    );
  });
});
