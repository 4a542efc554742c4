// Mouse, pen and touch on a chart: point at a moment, pick it, or drag over a stretch of time.

const DRAG_PIXELS = 6;

/**
 * @param {import("./overlay.js").Overlay} overlay
 * @param {{point(event: PointerEvent): void, leave(): void, pick(event: PointerEvent): void, select(start: number, end: number): void}} on
 */
export function followPointer(overlay, on) {
  const node = overlay.node;
  let from = null;

  const isDrag = (event) => from !== null && Math.abs(event.clientX - from) > DRAG_PIXELS;
  const ends = (event) => [overlay.timeAt(from), overlay.timeAt(event.clientX)].sort((a, b) => a - b);
  const drop = () => {
    from = null;
    overlay.selection.hidden = true;
  };
  /** A finger that is lifted, or that scrolls, points at nothing. */
  const lift = (event) => event.pointerType !== "mouse" && on.leave();

  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = event.clientX;
    if (event.pointerType === "mouse") node.setPointerCapture(event.pointerId);
  });
  node.addEventListener("pointermove", (event) => {
    on.point(event);
    overlay.selection.hidden = !isDrag(event);
    if (isDrag(event)) overlay.stretch(overlay.selection, ...ends(event));
  });
  node.addEventListener("pointerup", (event) => {
    const [isPicked, isSelected, chosen] = [from !== null && !isDrag(event), isDrag(event), from === null ? [] : ends(event)];
    drop();
    lift(event);
    if (isSelected) {
      on.leave();
      on.select(...chosen);
    } else if (isPicked) on.pick(event);
  });
  node.addEventListener("pointercancel", (event) => {
    drop();
    lift(event);
  });
  node.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && from === null) on.leave();
  });
}
