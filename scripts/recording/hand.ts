import { setTimeout as sleep } from "node:timers/promises";
import type { Locator, Page } from "playwright-core";

const STEPS = 12;
const STEP_MS = 30;
const KEY_MS = 50;
/** The page labels a sentence while its user thinks of the next word. */
const WORD_MS = 220;

/** Draws a pointer, which a page in a browser without a screen lacks. */
const POINTER = `
  const pointer = document.createElement("div");
  pointer.innerHTML = '<svg width="22" height="28"><path d="M2 2v20l5-4 3 8 4-2-3-7h7z" fill="#111" stroke="#fff" stroke-width="2"/></svg>';
  Object.assign(pointer.style, { position: "fixed", inset: "0 auto auto 0", zIndex: 9, pointerEvents: "none" });
  addEventListener("mousemove", ({ clientX, clientY }) => {
    pointer.style.translate = \`\${clientX}px \${clientY}px\`;
  });
  document.body.append(pointer);`;

/** Uses a page as a person does: at their pace, and with a pointer that can be seen. */
export interface Hand {
  /** Types over what a field holds. */
  typeInto(field: Locator, text: string): Promise<void>;
  click(target: Locator): Promise<void>;
}

/** Puts the pointer on a page. */
export async function handOn(page: Page, x: number, y: number): Promise<Hand> {
  let [left, top] = [x, y];
  await page.evaluate(POINTER);
  await page.mouse.move(left, top);

  async function moveTo(toLeft: number, toTop: number): Promise<void> {
    const [fromLeft, fromTop] = [left, top];
    for (let step = 1; step <= STEPS; step++) {
      const share = (1 - Math.cos((Math.PI * step) / STEPS)) / 2;
      [left, top] = [fromLeft + share * (toLeft - fromLeft), fromTop + share * (toTop - fromTop)];
      await page.mouse.move(left, top);
      await sleep(STEP_MS);
    }
  }
  async function click(target: Locator): Promise<void> {
    const box = await target.boundingBox();
    if (!box) throw new Error(`The page does not show ${target}.`);
    await moveTo(box.x + Math.min(box.width / 2, 120), box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.up();
  }

  return {
    click,
    async typeInto(field, text) {
      await click(field);
      await page.keyboard.press("ControlOrMeta+A");
      await sleep(WORD_MS);
      for (const letter of text) {
        await page.keyboard.type(letter);
        await sleep(letter === " " ? WORD_MS : KEY_MS);
      }
    },
  };
}
