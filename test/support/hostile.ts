import fc from "fast-check";

/** What programs have stumbled over: characters, names that objects have by themselves, SQL, paths, numbers as text. */
const ODD_TEXTS = [
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

/** Texts that nobody means well by. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme-composite", maxLength: 60 }),
);

const oddNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-1, -0, 0.5, 2 ** 31, 2 ** 53, 2 ** 64, 1e308),
  fc.integer(),
);

/** Whatever JSON can hold, with names that objects have by themselves. */
const oddValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false),
    oddNumber,
    oddText,
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(fc.tuple(oddText, tie("value")), { maxLength: 4 })
      // Made of entries, `__proto__` is a name like any other.
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value;

/** JSON that no schema is for: nested by the thousand, cut off, numbers beyond all bounds, names twice. */
const oddJson: fc.Arbitrary<string> = fc.oneof(
  oddValue.map((value) => JSON.stringify(value)),
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

/** Where in a value there is something, the whole of it first. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([name, part]) => pathsOf(part, [...path, name]))];
}

/** A value with another one in the place of a part; without that part, if the other is undefined. */
function replaced(value: unknown, [name, ...path]: Path, other: unknown): unknown {
  if (name === undefined) return other;
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value ?? {});
  const parts = entries
    .map(([own, part]): [string | number, unknown] => [own, own === name ? replaced(part, path, other) : part])
    .filter(([, part]) => part !== undefined);
  return Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}

/** JSON text of something that is right, but for one or two of its parts; or of something that never was. */
export function hostileJson(right: unknown): fc.Arbitrary<string> {
  const paths = pathsOf(right);
  const one = fc.tuple(fc.constantFrom(...paths), fc.option(oddValue, { nil: undefined }));
  const changed = fc
    .array(one, { minLength: 0, maxLength: 2 })
    .map((changes) => changes.reduce((value: unknown, [path, other]) => replaced(value, path, other), right))
    .map((value) => JSON.stringify(value) ?? "");
  const added = fc.tuple(oddText, oddValue).map(([name, value]) => {
    const entries = Object.entries(Object(right) as Record<string, unknown>);
    return JSON.stringify(Object.fromEntries([...entries, [name, value]]));
  });
  return fc.oneof(
    { weight: 4, arbitrary: changed },
    { weight: 2, arbitrary: added },
    { weight: 1, arbitrary: oddJson },
  );
}

/** Bytes of something that is right, with a few of them changed, cut out, doubled or put in; or any. */
export function hostileBytes(right: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat(right.length), cut: fc.nat(8), put: fc.uint8Array({ maxLength: 8 }) });
  const changed = fc
    .array(change, { minLength: 0, maxLength: 3 })
    .map((changes) =>
      changes.reduce(
        (bytes, { at, cut, put }) => Uint8Array.from([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + cut)]),
        right,
      ),
    );
  return fc.oneof({ weight: 4, arbitrary: changed }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) });
}
