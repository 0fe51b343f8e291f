import { z } from "zod";

/** Writes bytes in base64, the standard alphabet with padding. */
export const toBase64 = (bytes: Uint8Array): string => z.util.uint8ArrayToBase64(bytes);

/** Reads base64. @throws if it is not */
export const fromBase64 = (text: string): Uint8Array => z.util.base64ToUint8Array(text);

/** Base64, read into bytes. */
export const base64Schema = z.base64().transform(fromBase64);
