import fc from "fast-check";

/** Texts that often break programs: characters, names of built-in properties, SQL, paths, numbers as text. */
const HOSTILE_TEXTS = [
  "",
  "\u0000",
  "\ud800",
  "\ufeff",
  "\u202eabc",
  "\u0301".repeat(300),
  "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}",
  "\ufdfa",
  "\r\n\r\nGET / HTTP/1.1",
  "'; DROP TABLE profiles; --",
  '" OR 1=1 --',
  "%00",
  "../../etc/passwd",
  "__proto__",
  "constructor",
  "toString",
  "1e999",
  "NaN",
  "9".repeat(400),
];

/** Hostile texts. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme-composite", maxLength: 60 }),
);

const hostileNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-1, -0, 0.5, 2 ** 31, 2 ** 53, 2 ** 64, 1e308),
  fc.integer(),
);

/** Any JSON value, including names of built-in properties. */
const hostileValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false),
    hostileNumber,
    hostileText,
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(fc.tuple(hostileText, tie("value")), { maxLength: 4 })
      // In Object.fromEntries, `__proto__` is a name like any other.
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value;

/** JSON that no schema accepts: deeply nested, truncated, out of range, with repeated names. */
const malformedJson: fc.Arbitrary<string> = fc.oneof(
  hostileValue.map((value) => JSON.stringify(value)),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => '{"a":'.repeat(depth)),
  fc.constantFrom(
    "1e999",
    "-1e999",
    '{"task":1,"task":"news"}',
    '{"__proto__":{"polluted":true}}',
    "\u0000",
    "nul",
    "'a'",
  ),
);

type Path = readonly (string | number)[];

/** Returns the paths of all parts of a value, the whole value first. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([name, part]) => pathsOf(part, [...path, name]))];
}

/** Returns a value with one part replaced, or removed if the replacement is undefined. */
function replaced(value: unknown, [name, ...path]: Path, other: unknown): unknown {
  if (name === undefined) return other;
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value ?? {});
  const parts = entries
    .map(([key, part]): [string | number, unknown] => [key, key === name ? replaced(part, path, other) : part])
    .filter(([, part]) => part !== undefined);
  return Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}

/** JSON text of a valid value with up to two parts changed or one added, or malformed JSON. */
export function hostileJson(valid: unknown): fc.Arbitrary<string> {
  const paths = pathsOf(valid);
  const partChange = fc.tuple(fc.constantFrom(...paths), fc.option(hostileValue, { nil: undefined }));
  const changed = fc
    .array(partChange, { minLength: 0, maxLength: 2 })
    .map((changes) => changes.reduce((value: unknown, [path, other]) => replaced(value, path, other), valid))
    .map((value) => JSON.stringify(value) ?? "");
  const added = fc.tuple(hostileText, hostileValue).map(([name, value]) => {
    const entries = Object.entries(Object(valid) as Record<string, unknown>);
    return JSON.stringify(Object.fromEntries([...entries, [name, value]]));
  });
  return fc.oneof(
    { weight: 4, arbitrary: changed },
    { weight: 2, arbitrary: added },
    { weight: 1, arbitrary: malformedJson },
  );
}

/** Valid bytes with up to three pieces replaced, removed or inserted, or random bytes. */
export function hostileBytes(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat(valid.length), cut: fc.nat(8), put: fc.uint8Array({ maxLength: 8 }) });
  const changed = fc
    .array(change, { minLength: 0, maxLength: 3 })
    .map((changes) =>
      changes.reduce(
        (bytes, { at, cut, put }) => Uint8Array.from([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + cut)]),
        valid,
      ),
    );
  return fc.oneof({ weight: 4, arbitrary: changed }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) });
}
