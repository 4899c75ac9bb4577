/**
 * Keys and values as etcd keeps them, whichever of its two interfaces they are reached by. The two have a key space of
 * their own each: what is written by one is not seen by the other.
 * @module
 */

/** A key and its value. */
export interface Entry {
  /** As it is written: `/a/b`. */
  readonly key: string
  readonly value: string
  /** When it was last written: v2's modifiedIndex, v3's mod_revision. */
  readonly revision: number
  /** When it came to be. */
  readonly created: number
  /** It goes by itself when its time is over, unless it is written again before. */
  readonly isTemporary?: true
}

/** What happened to one key. */
export type KeyEvent =
  | { readonly type: 'put'; readonly entry: Entry }
  /** `last` is what it was, as far as etcd still knows. */
  | { readonly type: 'delete'; readonly key: string; readonly last: Entry | undefined }

/** Everything that happened at one revision, below the prefix that is watched. Without events it is a bookmark. */
export interface Batch {
  readonly revision: number
  readonly events: readonly KeyEvent[]
}

/** Keys below a prefix at a revision from which a watch can go on without a gap. */
export interface KeyListing {
  readonly revision: number
  readonly entries: readonly Entry[]
}

/** One key as it was at a revision. */
export interface KeyReading {
  readonly revision: number
  readonly entry: Entry | undefined
}

/** A record that goes from one key to another. */
export interface Move {
  readonly from: Entry
  readonly to: string
  readonly value: string
  /** The revision of what is written over there; absent: nothing is there. */
  readonly over?: number
}

/** etcd. Every call throws an EtcdError. Reads are linearizable: never older than what was answered before. */
export interface KeySpace {
  readonly api: 'v2' | 'v3'
  /** Grows whenever another cluster answers than before, whose revisions have nothing to do with earlier ones. */
  readonly history: number
  get(key: string, signal?: AbortSignal): Promise<KeyReading>
  /** The keys directly below a folder, `/a/b/` for those of `/a/b`, and those of folders in it. */
  list(folder: string, signal?: AbortSignal): Promise<KeyListing>
  /**
   * Everything below a folder after a revision, until `signal` aborts or the server ends it. Throws `ETCD_EXPIRED`
   * when the history does not reach back to there, or not up to there.
   */
  watch(folder: string, after: number, signal: AbortSignal): AsyncIterable<Batch>
  /**
   * Writes a key that is not there, or that is at a revision: for ever, whatever end it had. Throws `ETCD_CONFLICT`. Returns
   * the new revision.
   */
  put(key: string, value: string, at: number | 'absent', signal?: AbortSignal): Promise<Entry>
  /** The same for so many seconds from now. */
  putFor(seconds: number, key: string, value: string, at: number | 'absent', signal?: AbortSignal): Promise<Entry>
  /** Deletes a key that is at a revision. Throws `ETCD_CONFLICT`, also when it is gone. */
  delete(key: string, at: number, signal?: AbortSignal): Promise<void>
  /**
   * Takes a record from one key to another: in one step, or, where there are no such steps, in an order in which it is
   * never missing. Throws `ETCD_CONFLICT`.
   */
  move(move: Move, signal?: AbortSignal): Promise<Entry>
  /** Asks another member first from now on: a list of members may by mistake lead into two clusters. */
  askAnother(): void
  /** Gives back connections. */
  close(): void
}
