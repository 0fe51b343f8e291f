import { parseSettings, type Settings } from "../../app/platform/settings.ts";
import { parseSigningKeys } from "../../src/auth/signing-keys.ts";
import { CommandError } from "../errors.ts";

/** Of the environment variables that are the server's. */
const PREFIX = "XPEFT_";

/** What the environment says, beside the options of the command. */
export interface Environment {
  readonly settings: Settings;
  /** The text of the keys that sign profile tokens. */
  readonly tokenKeys: string | undefined;
  readonly databaseToken: string | undefined;
  readonly limits: { readonly requests: number; readonly learning: number };
  readonly trustedProxies: number;
}

const DEFAULTS = {
  CACHE_TTL_SECONDS: "30",
  PUBLIC_PREDICT: "false",
  CORS_ORIGINS: "",
  ENGINE: "auto",
  RATE_LIMIT: "6000",
  LEARN_LIMIT: "20",
  TRUSTED_PROXIES: "0",
};

/** The environment variables of a server, with what they mean, for `--help`. */
export const VARIABLES = [
  ["CACHE_TTL_SECONDS", "seconds for which an old row or key may still be used", DEFAULTS.CACHE_TTL_SECONDS],
  ["PUBLIC_PREDICT", '"true" lets anyone predict without a key', DEFAULTS.PUBLIC_PREDICT],
  ["CORS_ORIGINS", 'origins whose pages may call the API, separated by commas; "*" allows all', "none"],
  ["TOKEN_KEYS", "secret that signs profile tokens (docs/api.md)", "no tokens"],
  ["RATE_LIMIT", "requests of one caller in a minute; 0 for no limit", DEFAULTS.RATE_LIMIT],
  ["LEARN_LIMIT", "learning runs of one caller in a minute; 0 for no limit", DEFAULTS.LEARN_LIMIT],
  ["TRUSTED_PROXIES", "proxies in front of the server that add to X-Forwarded-For", DEFAULTS.TRUSTED_PROXIES],
  ["ENGINE", '"onnxruntime" turns the project\'s kernels off; --native goes before it', DEFAULTS.ENGINE],
  ["DATABASE_TOKEN", "token for a database on another machine", "none"],
].map(([name = "", meaning = "", standard = ""]) => ({ name: `${PREFIX}${name}`, meaning, standard }));

function wholeNumber(name: keyof typeof DEFAULTS, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError(`${PREFIX}${name} is "${text}".`, "Give a whole number from 0.");
}

/** Returns the text of signing keys. @throws XpeftError `invalid_setting`, before the server starts without them */
function signingKeys(text: string | undefined): string | undefined {
  if (text !== undefined) parseSigningKeys(text, PREFIX);
  return text;
}

/**
 * Reads the environment variables of a server. Empty ones count as unset.
 *
 * @param defaults in place of the usual ones, by names without the prefix
 * @throws CommandError or XpeftError `invalid_setting` that names the variable
 */
export function readEnvironment(
  env: NodeJS.ProcessEnv,
  defaults: Partial<Record<keyof typeof DEFAULTS, string>> = {},
): Environment {
  const given = (name: string): string | undefined => env[`${PREFIX}${name}`] || undefined;
  const text = (name: keyof typeof DEFAULTS): string => given(name) ?? defaults[name] ?? DEFAULTS[name];
  const number = (name: keyof typeof DEFAULTS): number => wholeNumber(name, text(name));
  return {
    settings: parseSettings(
      {
        CACHE_TTL_SECONDS: text("CACHE_TTL_SECONDS"),
        PUBLIC_PREDICT: text("PUBLIC_PREDICT"),
        CORS_ORIGINS: text("CORS_ORIGINS"),
        ENGINE: text("ENGINE"),
      },
      PREFIX,
    ),
    tokenKeys: signingKeys(given("TOKEN_KEYS")),
    databaseToken: given("DATABASE_TOKEN"),
    limits: { requests: number("RATE_LIMIT"), learning: number("LEARN_LIMIT") },
    trustedProxies: number("TRUSTED_PROXIES"),
  };
}
