// The public REST API.

/** What the API says when it refuses, in the reader's language. `status` is 0 where the server does not answer. */
export class ApiError extends Error {
  /** @param {number} status @param {string} detail @param {number | null} retryAfterSeconds */
  constructor(status, detail, retryAfterSeconds = null) {
    super(detail);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

// A question that takes the database longer than 10 s is stopped there: after this long nobody is at work on it.
export const LONGEST_SECONDS = 20;

/** When the server was last heard of, by this machine's clock in seconds, how many questions wait for it, and since when one does. */
export const connection = { heardAt: null, waiting: 0, waitingSince: 0 };

/** How far the server's clock is ahead of this machine's, in seconds. */
let clockOffset = 0;

/** Seconds since the epoch by the server's clock. */
export const now = () => Date.now() / 1000 + clockOffset;

/** @param {string} path @param {Record<string, any>} [query] values that are null are left out */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return document.documentElement.dataset.api + path + (text ? `?${text.replaceAll("%3A", ":").replaceAll("%2C", ",")}` : "");
}

/** @param {number} seconds */
export const iso = (seconds) => new Date(seconds * 1000).toISOString();

/** @param {string} text ISO 8601 @returns {number} seconds since the epoch */
export const seconds = (text) => Date.parse(text) / 1000;

/**
 * The answer of an address; an ApiError for anything but 200.
 * @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal]
 * @param {number} [seconds] how long to wait for the head of the answer @returns {Promise<any>}
 */
export async function read(path, query = {}, signal = undefined, seconds = LONGEST_SECONDS) {
  const { response, body } = await request(address(path, query), signal, seconds);
  followClock(response.headers.get("Date"));
  if (response.ok && body !== null) return body;
  const wait = Number(response.headers.get("Retry-After"));
  throw new ApiError(response.status, body?.detail ?? response.statusText, wait || null);
}

/** A server that takes a request and never answers counts as one that is not there. */
async function request(url, signal, seconds) {
  const giveUp = new AbortController();
  const stop = () => giveUp.abort(signal.reason);
  const timer = setTimeout(() => giveUp.abort(), seconds * 1000);
  signal?.addEventListener("abort", stop);
  if (!connection.waiting) connection.waitingSince = Date.now() / 1000;
  connection.waiting += 1;
  try {
    signal?.throwIfAborted();
    const response = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-cache", signal: giveUp.signal });
    connection.heardAt = Date.now() / 1000;
    clearTimeout(timer);
    const body = await response.json().catch(() => null);
    signal?.throwIfAborted();
    return { response, body };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "");
  } finally {
    connection.waiting -= 1;
    clearTimeout(timer);
    // The signal lives as long as what is shown, and would keep every request that it could have stopped.
    signal?.removeEventListener("abort", stop);
  }
}

function followClock(date) {
  if (!date) return;
  // The header is cut to whole seconds: within two of them the clocks agree.
  const offset = Date.parse(date) / 1000 + 0.5 - Date.now() / 1000;
  clockOffset = Math.abs(offset) < 2 ? 0 : offset;
}
