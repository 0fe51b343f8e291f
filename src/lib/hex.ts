import * as z from "zod";

/** Returns bytes in lower-case hex. */
export const toHex = (bytes: Uint8Array): string => z.util.uint8ArrayToHex(bytes);
