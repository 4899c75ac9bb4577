/**
 * Files that people write, as plain values. Whatever is in them costs a bounded time.
 * @module
 */
import { isMap, isSeq, parseDocument } from 'yaml'
import { type At, reject, shown } from '../network/model/decode.ts'

/** What a YAML text of at most `most` characters says; undefined, with a problem noted, where it says nothing. Never throws. */
export function parseYaml(text: string, at: At, most: number): unknown {
  if (text.length > most) return reject(at, `${text.length} characters are too many`, `give at most ${most}`)
  try {
    // The library compares every key with every other one, for minutes where there are many.
    const document = parseDocument(text, { uniqueKeys: false })
    const [error] = document.errors
    if (error !== undefined) return reject(at, `not YAML: ${firstLine(error.message)}`, 'correct that line')
    const twice = repeatedKey(document.contents)
    if (twice !== undefined) return reject(at, `${shown(twice)} is there twice`, 'remove one of them')
    return document.toJS({ maxAliasCount: 10 })
  } catch (error) {
    return reject(at, `not YAML: ${firstLine(error instanceof Error ? error.message : '')}`, 'correct it')
  }
}

/** A key that a map has twice, or one in it. */
function repeatedKey(node: unknown): string | undefined {
  if (isSeq(node)) return firstOf(node.items)
  if (!isMap(node)) return undefined
  const seen = new Set<string>()
  for (const { key } of node.items) {
    const name = String(key)
    if (seen.has(name)) return name
    seen.add(name)
  }
  return firstOf(node.items.map(({ value }) => value))
}

function firstOf(nodes: readonly unknown[]): string | undefined {
  for (const node of nodes) {
    const twice = repeatedKey(node)
    if (twice !== undefined) return twice
  }
  return undefined
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/:$/, '').slice(0, 200)
}
