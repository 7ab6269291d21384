/** Requests to the server: JSON in, JSON out, and one sentence where something is wrong. */

/** A refusal by the server, with its sentence. */
export class Refused extends Error {
  /**
   * @param {number} status of HTTP; 0 when no server answered
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/**
 * Ask the server.
 *
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>}
 * @throws {Refused} the server refuses, or does not answer
 */
const ask = async (method, path, { body, signal } = {}) => {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The server does not answer; start autolabel review again. Every change so far is kept.");
  }
  if (!response.ok) throw new Refused(response.status, await sentenceOf(response));
  return response;
};

const sentenceOf = async (response) => {
  const { detail } = await response.json().catch(() => ({}));
  return typeof detail === "string" ? detail : `The server answered ${response.status} without saying why.`;
};

/** @type {(path: string, options?: {signal?: AbortSignal}) => Promise<any>} */
export const get = async (path, options) => (await ask("GET", path, options)).json();

/** @type {(path: string, body: unknown, options?: {signal?: AbortSignal}) => Promise<any>} */
export const post = async (path, body, options) => (await ask("POST", path, { ...options, body })).json();

/** @type {(path: string) => Promise<Response>} */
export const remove = (path) => ask("DELETE", path);

/** @type {(path: string, options?: {signal?: AbortSignal}) => Promise<Blob>} */
export const getBlob = async (path, options) => (await ask("GET", path, options)).blob();

/**
 * The address of something of an input.
 *
 * @param {string} name of the input
 * @param {...(string | number)} parts
 */
export const inputPath = (name, ...parts) => ["/api/inputs", encodeURIComponent(name), ...parts].join("/");
