import type { CDPSession, Page } from "playwright-core";
import sharp from "sharp";

/** A picture of the page in PNG, and for how many milliseconds it is shown. */
export interface Frame {
  readonly png: Buffer;
  readonly milliseconds: number;
}

/** Pictures that follow each other faster are one: more than 25 a second are not seen. */
const SHORTEST_MS = 40;

interface Shot {
  readonly png: Buffer;
  /** Seconds. */
  readonly at: number;
}

/** Returns the frames of what the browser has sent. Each is shown until the next one that differs. */
function framesOf(shots: readonly Shot[], end: number): Frame[] {
  const differing = shots.filter(({ png }, index) => !shots[index - 1]?.png.equals(png));
  const frames: Frame[] = [];
  let early = 0;
  for (const [index, { png, at }] of differing.entries()) {
    const milliseconds = Math.round(1000 * ((differing[index + 1]?.at ?? end) - at)) + early;
    early = milliseconds < SHORTEST_MS ? milliseconds : 0;
    if (early === 0) frames.push({ png, milliseconds });
  }
  return frames;
}

/** Films a page while something happens on it. The browser sends a picture whenever one differs from the last. */
export async function film(page: Page, happen: () => Promise<void>): Promise<Frame[]> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const shots: Shot[] = [];
  session.on("Page.screencastFrame", ({ data, metadata, sessionId }) => {
    shots.push({ png: Buffer.from(data, "base64"), at: metadata.timestamp ?? Date.now() / 1000 });
    session.send("Page.screencastFrameAck", { sessionId }).catch((error: unknown) => {
      // The last picture may arrive after the end.
      if (!page.isClosed()) throw error;
    });
  });
  await session.send("Page.startScreencast", { format: "png", everyNthFrame: 1 });
  await happen();
  await session.send("Page.stopScreencast");
  return framesOf(shots, Date.now() / 1000);
}

/** Returns frames as one animated WebP that repeats for ever. Lossless: letters stay sharp, and a still part costs nothing. */
export function animate(frames: readonly Frame[]): Promise<Buffer> {
  return sharp(
    frames.map(({ png }) => png),
    { join: { animated: true } },
  )
    .webp({ lossless: true, effort: 6, loop: 0, delay: frames.map(({ milliseconds }) => milliseconds) })
    .toBuffer();
}
