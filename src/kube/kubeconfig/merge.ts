/**
 * Kubeconfig files as one: of what several of them hold, the first one's counts, as with kubectl.
 * @module
 */
import { dirname, resolve } from 'node:path'
import { parse as parseYaml, YAMLParseError } from 'yaml'
import { configError, readFile } from '../config.ts'
import { KubeError } from '../errors.ts'
import { type Fields, isFields } from '../fields.ts'
import { fieldsOf, textOf } from './fields.ts'

/** An entry of one of the three lists, with the folder that its paths are taken from. */
export interface Entry {
  readonly fields: Fields
  readonly folder: string
}

/** One or several files. */
export interface Merged {
  readonly currentContext: string | undefined
  /** Throws `KUBE_CONFIG` when no file has it. */
  entry(list: 'contexts' | 'clusters' | 'users', name: string): Entry
}

/** Files as one. Throws `KUBE_CONFIG` for one that cannot be read, or is none. */
export function readFiles(paths: readonly string[]): Merged {
  const files = paths.map((path) => ({ content: parseFile(path), folder: dirname(resolve(path)) }))
  const [currentContext] = files.flatMap(({ content }) => textOf(content, 'current-context', 'the kubeconfig') ?? [])
  return {
    currentContext,
    entry: (list, name) => {
      const field = FIELD_OF[list]
      for (const { content, folder } of files) {
        const found = named(content[list], name)
        if (found !== undefined) return { fields: fieldsOf(found[field] ?? {}, `${field} ${name}`), folder }
      }
      throw configError(`the kubeconfig has no ${field} ${name}`, `add it to its ${list}`)
    },
  }
}

const FIELD_OF = { contexts: 'context', clusters: 'cluster', users: 'user' } as const

/** A kubeconfig is a page; more is a mistake or worse. */
const MAX_SIZE = 4 << 20

function parseFile(path: string): Fields {
  const text = readFile(path, 'the kubeconfig')
  if (text.length > MAX_SIZE) throw configError(`the kubeconfig ${path} is too large`, 'check the path')
  try {
    return fieldsOf(parseYaml(text, { prettyErrors: false, logLevel: 'error' }), `the kubeconfig ${path}`)
  } catch (cause) {
    if (cause instanceof KubeError) throw cause
    if (!(cause instanceof YAMLParseError)) throw unparsable(path)
    // The parser's message may quote the line, and the line may be a key.
    throw unparsable(`${path}, at character ${cause.pos[0]} (${cause.code})`)
  }
}

function unparsable(where: string): KubeError {
  return configError(`the kubeconfig is no YAML: ${where}`, 'correct the file')
}

function named(entries: unknown, name: string): Fields | undefined {
  if (!Array.isArray(entries)) return undefined
  const found: unknown = entries.find((entry: unknown) => isFields(entry) && entry['name'] === name)
  return isFields(found) ? found : undefined
}
