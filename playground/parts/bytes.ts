/** Decodes base64. The codec of `src/lib` comes with a library that is larger than the page. */
export const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
