import * as z from "zod";
import { XpeftError } from "../errors.ts";

/** The keys that sign tokens and verify their signatures. */
export interface SigningKeys {
  /** Id of the key that signs. */
  readonly current: string;
  /** All accepted keys, 32 bytes or more each. */
  readonly byId: ReadonlyMap<string, Uint8Array>;
}

const MIN_KEY_BYTES = 32;

const listSchema = z
  .string()
  .transform((list) => list.split(",").map((entry) => entry.trim().split(":")))
  .pipe(z.array(z.tuple([z.string().regex(/^[A-Za-z0-9._-]{1,64}$/), z.base64()])).min(1))
  .transform((keys) => keys.map(([id, key]) => [id, z.util.base64ToUint8Array(key)] as const))
  .refine((keys) => keys.every(([, key]) => key.length >= MIN_KEY_BYTES), "has a key that is too short")
  .refine((keys) => new Set(keys.map(([id]) => id)).size === keys.length, "names a key twice");

/**
 * Returns the keys of the setting TOKEN_KEYS: `id:base64,id:base64,…`. The first key signs; the others are earlier keys
 * whose tokens are still accepted.
 *
 * @param prefix of the setting's name where the platform keeps it, for messages
 * @throws XpeftError `tokens_not_set_up` if there is none, `invalid_setting` if the form is wrong; neither quotes the
 * setting
 */
export function parseSigningKeys(setting: string | undefined, prefix = ""): SigningKeys {
  if (!setting) {
    throw new XpeftError("tokens_not_set_up", "This deploy neither makes nor accepts profile tokens.");
  }
  const parsed = listSchema.safeParse(setting);
  if (!parsed.success) {
    throw new XpeftError(
      "invalid_setting",
      `${prefix}TOKEN_KEYS is not a list of keys, each an id, a colon and at least ${MIN_KEY_BYTES} bytes in base64.`,
      { reason: "secret" },
    );
  }
  return { current: parsed.data[0]?.[0] ?? "", byId: new Map(parsed.data) };
}
