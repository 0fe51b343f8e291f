declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.html" {
  const text: string;
  export default text;
}

declare module "*.gz" {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare namespace Cloudflare {
  interface Env extends Readonly<import("./platform/bindings.ts").Bindings> {}
}
