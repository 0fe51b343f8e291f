import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFolder, removeFolder } from "./folders.ts";

/** The Chromium of this machine, if it has one. */
export const chromium = ["chromium", "chromium-browser", "google-chrome"].find(
  (name) => spawnSync(name, ["--version"]).status === 0,
);

const POLL_MS = 50;

/** A page that a browser has open, in front of a user who has no mouse. */
export interface Page {
  /** What a script in the page comes to. */
  value<T>(script: string): Promise<T>;
  /** Waits until a script in the page comes to something that is true, and gives it. */
  until<T>(script: string, within?: number): Promise<T>;
  /** Types into what has the focus. */
  type(text: string): Promise<void>;
  /** Presses a key and lets it go: a letter, Tab, Enter or Space. */
  press(key: string): Promise<void>;
  /** Shows the page as on another screen. */
  screen(screen: Screen): Promise<void>;
  /** Keeps what is seen in the folder XPEFT_SCREENSHOTS, if that is set, for somebody to look at. */
  screenshot(name: string): Promise<void>;
  /** What the browser found to complain of, but for answers that were refused. */
  readonly complaints: string[];
}

/** A screen and its owner's taste. */
export interface Screen {
  readonly width: number;
  readonly scheme: "light" | "dark";
}

export interface Browser {
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: {
    readonly exceptionDetails?: Fault;
    readonly entry?: { readonly source: string; readonly text: string };
  };
  readonly result?: Result;
  readonly error?: { readonly message: string };
}

/** What a script has thrown. */
interface Fault {
  readonly text: string;
  readonly exception?: { readonly description?: string };
}

/** What the methods that are asked here answer; each has some of it. */
interface Result {
  readonly targetId?: string;
  readonly sessionId?: string;
  readonly result?: { readonly value?: unknown };
  readonly exceptionDetails?: Fault;
  readonly data?: string;
}

const described = (fault: Fault): string => fault.exception?.description ?? fault.text;

/** What a key is to the protocol. */
function keyOf(key: string): object {
  if (key === "Tab") return { key, code: "Tab", windowsVirtualKeyCode: 9 };
  if (key === "Enter") return { key, code: "Enter", windowsVirtualKeyCode: 13, text: "\r" };
  if (key === "Space") return { key: " ", code: "Space", windowsVirtualKeyCode: 32, text: " " };
  return { key, code: `Key${key.toUpperCase()}`, windowsVirtualKeyCode: key.toUpperCase().charCodeAt(0), text: key };
}

/** Starts a browser, driven by the Chrome DevTools Protocol over a pipe. */
export async function startBrowser(): Promise<Browser> {
  const folder = await makeFolder("xpeft-browser-");
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", `--user-data-dir=${folder}`];
  const child = spawn(chromium ?? "", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [, , , into, from] = child.stdio;
  if (!(into instanceof Writable && from instanceof Readable)) throw new TypeError("both pipes were asked for");
  const pipe: Writable = into;
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (message: Message) => void>();
  let sent = 0;
  let text = "";
  from.setEncoding("utf8").on("data", (chunk) => {
    const whole = `${text}${chunk}`.split("\0");
    text = whole.pop() ?? "";
    for (const message of whole.map((one): Message => JSON.parse(one))) {
      if (message.id !== undefined) waiting.get(message.id)?.(message);
      else listeners.get(message.sessionId ?? "")?.(message);
    }
  });

  async function ask(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    const id = ++sent;
    const { promise, resolve } = Promise.withResolvers<Message>();
    waiting.set(id, resolve);
    pipe.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await promise;
    waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  async function open(url: string): Promise<Page> {
    const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
    const { sessionId = "" } = await ask("Target.attachToTarget", { targetId, flatten: true });
    const complaints: string[] = [];
    const loaded = Promise.withResolvers<void>();
    listeners.set(sessionId, ({ method, params }) => {
      if (method === "Page.loadEventFired") loaded.resolve();
      if (params?.exceptionDetails) complaints.push(described(params.exceptionDetails));
      if (params?.entry && params.entry.source !== "network") complaints.push(params.entry.text);
    });
    const tell = (method: string, params?: object) => ask(method, params, sessionId);
    for (const domain of ["Page", "Runtime", "Log"]) await tell(`${domain}.enable`);
    await tell("Page.navigate", { url });
    await loaded.promise;

    async function value<T>(script: string): Promise<T> {
      const options = { returnByValue: true, awaitPromise: true };
      const { result, exceptionDetails } = await tell("Runtime.evaluate", { expression: script, ...options });
      if (exceptionDetails) throw new Error(described(exceptionDetails));
      return result?.value as T;
    }
    return {
      value,
      complaints,
      async until<T>(script: string, within = 30_000) {
        for (const deadline = Date.now() + within; Date.now() < deadline; await sleep(POLL_MS)) {
          const is = await value<T>(script);
          if (is) return is;
        }
        throw new Error(`${script} did not come true. The page says:\n${await value("document.body.innerText")}`);
      },
      async type(typed) {
        await tell("Input.insertText", { text: typed });
      },
      async screen({ width, scheme }) {
        const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
        await tell("Emulation.setDeviceMetricsOverride", metrics);
        await tell("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
      },
      async screenshot(name) {
        const folder = process.env.XPEFT_SCREENSHOTS;
        if (!folder) return;
        const { data = "" } = await tell("Page.captureScreenshot", { captureBeyondViewport: true });
        await writeFile(join(folder, `${name}.png`), data, "base64");
      },
      async press(key) {
        await tell("Input.dispatchKeyEvent", { type: "keyDown", ...keyOf(key) });
        await tell("Input.dispatchKeyEvent", { type: "keyUp", ...keyOf(key), text: undefined });
      },
    };
  }

  return {
    open,
    async close() {
      const gone = once(child, "close");
      await ask("Browser.close");
      await gone;
      await removeFolder(folder);
    },
  };
}
