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
  const ends = (event) => {
    const [one, other] = [overlay.timeAt(from), overlay.timeAt(event.clientX)];
    return { start: Math.min(one, other), end: Math.max(one, other) };
  };
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
    if (!isDrag(event)) return;
    const { start, end } = ends(event);
    overlay.stretch(overlay.selection, start, end);
  });
  node.addEventListener("pointerup", (event) => {
    const [isPicked, isSelected] = [from !== null && !isDrag(event), isDrag(event)];
    const chosen = isSelected ? ends(event) : null;
    drop();
    lift(event);
    if (isSelected) {
      on.leave();
      on.select(chosen.start, chosen.end);
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
