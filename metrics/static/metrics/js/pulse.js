// Does something again and again, unless the tab is hidden or there is nothing to do.

export class Pulse {
  /**
   * @param {{isOn(): boolean, beat(): Promise<void>, pause(busySeconds: number): number}} of the pause is in seconds, after a
   *   beat that took so long: who beats as often as ticks come misses none
   */
  constructor(of) {
    this.of = of;
    document.addEventListener("visibilitychange", () => this.after(0));
  }

  /** Beat after so many seconds, instead of when it was going to, and from then on. @param {number} waitSeconds */
  after(waitSeconds) {
    clearTimeout(this.timer);
    if (this.isOn) this.timer = setTimeout(() => this.isOn && this.beat(), waitSeconds * 1000);
  }

  get isOn() {
    return !document.hidden && this.of.isOn();
  }

  async beat() {
    const startedAt = performance.now();
    await this.of.beat();
    this.after(this.of.pause((performance.now() - startedAt) / 1000));
  }
}
