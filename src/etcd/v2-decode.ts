/**
 * Answers of the v2 keys API. Facts: etcd 3.4 and 3.5, `Documentation/v2/api.md` and `errorcode.md`, and what they
 * answered when they were asked.
 * @module
 */
import { listOf, parseJson, recordOf, revisionOf, textOf } from './decode.ts'
import { conflict, cut, EtcdError, expired, garbage, unavailable } from './errors.ts'
import type { EtcdAnswer } from './http.ts'
import type { Entry, KeyEvent } from './key-space.ts'
import { sentenceIn } from './sentences.ts'

/** A tree deeper than this is no registry. */
const MAX_DEPTH = 16

/** The number of the last write anywhere in the key space, which comes with every answer. */
export function indexIn(headers: Headers): number {
  const text = headers.get('x-etcd-index')
  if (text === null) throw garbage('an answer without an X-Etcd-Index')
  return revisionOf(text, 'an X-Etcd-Index')
}

/** The failure that an answer is; undefined for one that is none. 100, key not found, is the caller's. */
export function v2Failure({ status, text }: EtcdAnswer, key: string): EtcdError | undefined {
  if (status === 200 || status === 201) return undefined
  const { errorCode, message } = errorIn(text)
  const sentence = typeof message === 'string' ? sentenceIn(message) : undefined
  const said = sentence === undefined ? '' : `: ${sentence}`
  switch (errorCode) {
    case 100:
    case 101:
    case 105:
      return conflict(key)
    case 102:
    case 104:
    case 108:
      return new EtcdError(
        'ETCD_INVALID',
        `${cut(key)} is a folder, or below a key${said}`,
        'remove what is in its place',
      )
    case 110:
      return refusal()
    case 401:
      return expired('etcd has cleared the history back to there')
    default:
      break
  }
  if (status === 401 || status === 403) return refusal()
  if (status === 404 && errorCode === undefined) {
    const remedy = 'start etcd with --enable-v2, or use --etcd-api v3'
    return new EtcdError('ETCD_UNSUPPORTED', 'this etcd does not serve the v2 API', remedy)
  }
  return status >= 400 && status < 500 && errorCode !== undefined
    ? new EtcdError('ETCD_INVALID', `etcd says no (HTTP ${status})${said}`, 'correct the request')
    : unavailable(`etcd says no (HTTP ${status})${said}`)
}

/** Whether an answer says that there is no such key. */
export function isMissing({ status, text }: EtcdAnswer): boolean {
  return status === 404 && errorIn(text).errorCode === 100
}

/** The keys in a node and, with `recursive`, in those below it. */
export function entriesIn(input: unknown, depth = 0): readonly Entry[] {
  const node = recordOf(input, 'a node')
  if (node['dir'] !== true) return [entryIn(node)]
  if (depth === MAX_DEPTH) throw garbage('folders without an end')
  return listOf(node['nodes'], 'the nodes of a folder').flatMap((inner) => entriesIn(inner, depth + 1))
}

/** The key that a write answers with. */
export function writtenEntry(answer: EtcdAnswer): Entry {
  return entryIn(recordOf(recordOf(parseJson(answer.text), 'an answer')['node'], 'a node'))
}

/** What a watch told. A folder that went took what was in it along: only a listing tells what that was. */
export function eventIn(
  text: string,
  folder: string,
): { readonly revision: number; readonly event: KeyEvent | undefined } {
  const answer = recordOf(parseJson(text), 'an event')
  const node = recordOf(answer['node'], 'a node')
  const revision = revisionOf(node['modifiedIndex'], 'an index')
  const key = textOf(node['key'], 'a key')
  const action = textOf(answer['action'], 'an action')
  const isGone = GONE.has(action)
  const previous = answer['prevNode']
  const wasFolder = previous !== undefined && recordOf(previous, 'a node')['dir'] === true
  if (isGone && (node['dir'] === true || wasFolder || !key.startsWith(folder))) {
    throw expired(`${cut(folder)}, or a folder in it, was removed`)
  }
  if (node['dir'] === true || !key.startsWith(folder)) return { revision, event: undefined }
  if (!isGone) return { revision, event: { type: 'put', entry: entryIn(node) } }
  const last = previous === undefined ? undefined : entryIn(recordOf(previous, 'a node'))
  return { revision, event: { type: 'delete', key, last } }
}

const GONE: ReadonlySet<string> = new Set(['delete', 'expire', 'compareAndDelete'])

function entryIn(node: Readonly<Record<string, unknown>>): Entry {
  return {
    key: textOf(node['key'], 'a key'),
    // An empty value may be left out.
    value: node['value'] === undefined ? '' : textOf(node['value'], 'a value'),
    revision: revisionOf(node['modifiedIndex'], 'an index'),
    created: revisionOf(node['createdIndex'], 'an index'),
    ...(node['expiration'] === undefined ? {} : { isTemporary: true }),
  }
}

function errorIn(text: string): { readonly errorCode?: unknown; readonly message?: unknown } {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}

/** v2 says the same to those it does not know and to those who may not. */
function refusal(): EtcdError {
  const remedy = 'check --etcd-username, its password, and the role that lets it read and write there'
  return new EtcdError('ETCD_FORBIDDEN', 'etcd does not let this user do that', remedy)
}
