import * as z from "zod";

/** Returns bytes in base64: the standard alphabet with padding. */
export const toBase64 = (bytes: Uint8Array): string => z.util.uint8ArrayToBase64(bytes);

/** Returns the bytes of base64. @throws if the text is not base64 */
export const fromBase64 = (text: string): Uint8Array => z.util.base64ToUint8Array(text);

/** Schema of base64, parsed into bytes. */
export const base64Schema = z.base64().transform(fromBase64);
