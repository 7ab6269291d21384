/** A cache with a cap: what was not used for longest goes first. */

/**
 * @template V
 */
export class Lru {
  #entries = new Map();
  #cap;
  #onDrop;
  #size = 0;

  /**
   * @param {number} cap how large all values together may be
   * @param {(value: V) => void} [onDrop] told of every value that goes
   */
  constructor(cap, onDrop = () => {}) {
    this.#cap = cap;
    this.#onDrop = onDrop;
  }

  /** @type {(key: string) => V | undefined} the value, which counts as used */
  get(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** @type {(key: string) => V | undefined} the value, which does not count as used */
  peek(key) {
    return this.#entries.get(key)?.value;
  }

  /** @type {(key: string, value: V, size: number) => void} keep a value; the newest one stays however large it is */
  set(key, value, size) {
    this.#drop(key);
    this.#entries.set(key, { value, size });
    this.#size += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.#cap || oldest === key) return;
      this.#drop(oldest);
    }
  }

  #drop(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#size -= entry.size;
    this.#onDrop(entry.value);
  }
}
