/**
 * JSON pointers (RFC 6901).
 * @module
 */
import { isFields } from './json.ts'

/** The step of a pointer without steps. */
export const ROOT = ''

/** The steps of a pointer; undefined when it is none. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === ROOT) return []
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined
  return text
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Whether a step is the number of a list's item: no sign, no leading zero. */
export function isNumbered(step: string): boolean {
  return /^(?:0|[1-9][0-9]{0,8})$/.test(step)
}

/** What is there; undefined for nothing. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  let node = document
  for (const step of path) {
    if (isFields(node) && Object.hasOwn(node, step)) node = node[step]
    else if (Array.isArray(node) && isNumbered(step)) node = node[Number(step)]
    else return undefined
  }
  return node
}
