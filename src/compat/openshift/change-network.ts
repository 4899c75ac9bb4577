/**
 * The annotation by which a NetNamespace asks for a change, as a request and back.
 *
 * It has no id of its own. One who waits for the answer writes an id beside it; otherwise the text itself is the id, so
 * that the same wrong words are the same request however often they are written.
 * @module
 */
import { createHash } from 'node:crypto'
import type { TenantRequest } from '../../network/model/tenant.ts'

const JOIN = 'join:'
/** The longest name the API knows. */
const MAX_NAME = 253
/** More of somebody's words than this nobody needs to see. */
const MAX_TEXT = 4096

/** The request that these words make. `mark` is the other annotation, which may belong to earlier words. */
export function parseChange(words: string, mark: string | undefined): TenantRequest {
  const id = idIn(mark, words) ?? idOf(words)
  if (words === 'global' || words === 'isolate') return { id, action: words }
  const target = words.startsWith(JOIN) ? words.slice(JOIN.length) : undefined
  if (target !== undefined && target.length <= MAX_NAME) return { id, action: 'join', target }
  return { id, action: 'unknown', text: words.slice(0, MAX_TEXT) }
}

/** The words that make this request. */
export function wordsOf(request: TenantRequest): string {
  switch (request.action) {
    case 'join':
      return `${JOIN}${request.target}`
    case 'unknown':
      return request.text
    default:
      return request.action
  }
}

/** What to write beside the words so that the request keeps its id; undefined when the words say it already. */
export function markOf(request: TenantRequest): string | undefined {
  const words = wordsOf(request)
  return request.id === idOf(words) ? undefined : `${request.id}:${words}`
}

/** The id in a mark that was made for these very words. */
function idIn(mark: string | undefined, words: string): string | undefined {
  if (mark === undefined || !mark.endsWith(`:${words}`)) return undefined
  const id = mark.slice(0, mark.length - words.length - 1)
  return id.length > 0 && id.length <= MAX_NAME ? id : undefined
}

function idOf(words: string): string {
  // What is cut off an endless text does not make another request of it.
  const text = words.slice(0, MAX_TEXT)
  const plain = `words:${text}`
  return plain.length <= MAX_NAME ? plain : `words-sha256:${createHash('sha256').update(text).digest('hex')}`
}
