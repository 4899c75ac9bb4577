/**
 * A file that others replace while we run: Kubernetes renews tokens, authorities and certificates in files.
 * @module
 */

/** How old what was read may be, in milliseconds. A kubelet renews a token when a fifth of its life is left. */
const MAX_AGE = 60_000

/** A file's content, at most a minute old. */
export class RotatedFile {
  readonly #read: () => string
  #last: { readonly text: string; readonly at: number } | undefined

  /** `read` gives the whole content, or throws. */
  constructor(read: () => string) {
    this.#read = read
  }

  /**
   * The content, read anew when it is too old or `fresh` is asked for. While the file cannot be read, what was last in
   * it: whoever replaces it may be in the middle. Throws what `read` throws when there never was anything.
   */
  text(now: number, fresh = false): string {
    const last = this.#last
    if (last !== undefined && !fresh && now - last.at < MAX_AGE) return last.text
    try {
      const text = this.#read()
      this.#last = { text, at: now }
      return text
    } catch (error) {
      if (last === undefined) throw error
      this.#last = { ...last, at: now }
      return last.text
    }
  }
}
