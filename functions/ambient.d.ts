declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.html" {
  const text: string;
  export default text;
}

declare namespace Cloudflare {
  interface Env extends Readonly<import("./env.ts").Bindings> {}
}
