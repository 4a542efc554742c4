// What the page's scripts find in a browser and the type checker does not know of itself.

/** The drawing library, which a script of its own brings: absent where that file is. */
declare const uPlot: any;

/** What draws the documentation of the API, from a script of its own. */
declare const SwaggerUIBundle: any;

interface Window {
  uPlot?: typeof uPlot;
}

// Newer than the checker.
interface Array<T> {
  findLast(wanted: (value: T) => unknown): T | undefined;
  findLastIndex(wanted: (value: T) => unknown): number;
}
