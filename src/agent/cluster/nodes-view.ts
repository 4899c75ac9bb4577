/**
 * The cluster's Nodes as the registry has them, for whoever asks.
 * @module
 */
import type { Node } from '../../network/model/node.ts'
import type { Watcher } from './watcher.ts'

/** Nodes by name. */
export class NodesView implements Watcher<Node> {
  readonly #nodes = new Map<string, Node>()
  readonly #listeners: (() => void)[] = []
  #isRead = false

  /** Whether all of them have been told. */
  get isRead(): boolean {
    return this.#isRead
  }

  get(name: string): Node | undefined {
    return this.#nodes.get(name)
  }

  values(): Iterable<Node> {
    return this.#nodes.values()
  }

  /** Calls whenever one is another, and when all have been told. */
  listen(changed: () => void): void {
    this.#listeners.push(changed)
  }

  put(node: Node): void {
    this.#nodes.set(node.name, node)
    this.#tell()
  }

  remove(name: string): void {
    this.#nodes.delete(name)
    this.#tell()
  }

  read(): void {
    this.#isRead = true
    this.#tell()
  }

  #tell(): void {
    for (const changed of this.#listeners) changed()
  }
}
