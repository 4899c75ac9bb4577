/**
 * Attachment definitions, as the cluster has them, and configurations of networks in the node's own files.
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cniError } from '../../cni/index.ts'
import type { AttachmentDefinition } from '../../network/model/definition.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Watcher } from '../cluster/watcher.ts'
import { readRegularFile } from '../install/regular-file.ts'

/** The cluster's attachment definitions. */
export class Definitions implements Watcher<AttachmentDefinition> {
  readonly #registry: Pick<Registry, 'get'>
  readonly #definitions = new Map<string, AttachmentDefinition>()
  #isRead = false

  constructor(registry: Pick<Registry, 'get'>) {
    this.#registry = registry
  }

  /** Whether it is known that there is none at all, as in clusters that have no such networks. */
  get isEmpty(): boolean {
    return this.#isRead && this.#definitions.size === 0
  }

  read(): void {
    this.#isRead = true
  }

  put(definition: AttachmentDefinition): void {
    this.#definitions.set(`${definition.namespace}/${definition.name}`, definition)
  }

  remove(key: string): void {
    this.#definitions.delete(key)
  }

  /** The definition of this name; one that no watch has told of yet is asked for. Throws `definition-unreadable`. */
  async find(namespace: string, name: string): Promise<AttachmentDefinition | undefined> {
    const key = `${namespace}/${name}`
    const known = this.#definitions.get(key)
    if (known !== undefined) return known
    try {
      return (await this.#registry.get('AttachmentDefinition', key))?.value
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw cniError('definition-unreadable', { definition: key, reason })
    }
  }
}

const EXTENSIONS = ['.conf', '.conflist', '.json']

/**
 * The text of the first file of a folder, in the order of their names, whose configuration has this `name`; undefined
 * where there is none. A file that cannot be read is somebody else's, or not finished.
 */
export function fileOfNetwork(folder: string, name: string): string | undefined {
  for (const text of configurationsIn(folder)) if (nameIn(text) === name) return text
  return undefined
}

/** The texts of a folder's network configurations, in the order of their names. */
export function* configurationsIn(folder: string): Generator<string> {
  for (const file of namesIn(folder)) {
    if (!EXTENSIONS.some((extension) => file.endsWith(extension))) continue
    const text = textOf(join(folder, file))
    if (text !== undefined) yield text
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function textOf(path: string): string | undefined {
  try {
    return readRegularFile(path)
  } catch {
    return undefined
  }
}

function nameIn(text: string): unknown {
  try {
    return Object(JSON.parse(text))['name']
  } catch {
    return undefined
  }
}
