/**
 * JSON patches.
 * @module
 */
import { ApiError } from '../contract.ts'
import { badRequest } from '../http/status.ts'
import { isFields, isSame, own, withField, withoutField } from './json.ts'
import { isNumbered, parsePointer, ROOT, valueAt } from './pointer.ts'

/** As many as Kubernetes takes. */
const MOST_OPERATIONS = 10_000
/** Characters of JSON that `copy` may add in all, so that a few operations cannot double an object without end. */
const MOST_COPIED = 3 * 1024 * 1024

interface State {
  readonly document: unknown
  readonly copied: number
}

/** RFC 6902: all operations, or none. Throws 400 for what is no patch, 413 for too much, 422 for what does not fit. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations')
  if (patch.length > MOST_OPERATIONS) throw tooLarge(`a JSON patch has at most ${MOST_OPERATIONS} operations`)
  return patch.reduce<State>(applyOperation, { document, copied: 0 }).document
}

function applyOperation({ document, copied }: State, operation: unknown): State {
  if (!isFields(operation)) throw badRequest('error decoding patch: an operation is an object')
  const path = pointer(operation, 'path')
  const op = own(operation, 'op')
  switch (op) {
    case 'add':
      return { document: add(document, path, given(operation)), copied }
    case 'remove':
      return { document: remove(document, path), copied }
    case 'replace':
      return { document: replace(document, path, given(operation)), copied }
    case 'move':
      return { document: move(document, pointer(operation, 'from'), path), copied }
    case 'copy':
      return copy(document, pointer(operation, 'from'), path, copied)
    case 'test':
      if (!isSame(valueAt(document, path), given(operation))) throw unfit(`the value at "${show(path)}" is another`)
      return { document, copied }
    default:
      throw unfit(`there is no operation ${JSON.stringify(op) ?? 'without a name'}`)
  }
}

function pointer(operation: Readonly<Record<string, unknown>>, field: string): readonly string[] {
  const text = own(operation, field)
  const path = typeof text === 'string' ? parsePointer(text) : undefined
  if (path === undefined) throw unfit(`"${field}" has to be a JSON pointer`)
  return path
}

function given(operation: Readonly<Record<string, unknown>>): unknown {
  if (!Object.hasOwn(operation, 'value')) throw unfit('"value" is missing')
  return operation['value']
}

function add(document: unknown, path: readonly string[], value: unknown): unknown {
  return change(
    document,
    path,
    (parent, key) => {
      if (isFields(parent)) return withField(parent, key, value)
      if (!Array.isArray(parent)) throw missing(path)
      if (key === '-') return [...parent, value]
      if (!isNumbered(key) || Number(key) > parent.length) throw missing(path)
      return parent.toSpliced(Number(key), 0, value)
    },
    value,
  )
}

function remove(document: unknown, path: readonly string[]): unknown {
  if (path.length === 0) throw unfit('the whole object cannot be removed')
  return change(document, path, (parent, key) => {
    if (isFields(parent) && Object.hasOwn(parent, key)) return withoutField(parent, key)
    if (Array.isArray(parent) && isNumbered(key) && Number(key) < parent.length) return parent.toSpliced(Number(key), 1)
    throw missing(path)
  })
}

function replace(document: unknown, path: readonly string[], value: unknown): unknown {
  return change(
    document,
    path,
    (parent, key) => {
      if (isFields(parent) && Object.hasOwn(parent, key)) return withField(parent, key, value)
      if (Array.isArray(parent) && isNumbered(key) && Number(key) < parent.length)
        return parent.with(Number(key), value)
      throw missing(path)
    },
    value,
  )
}

function move(document: unknown, from: readonly string[], path: readonly string[]): unknown {
  const value = present(document, from)
  if (isSame(from, path)) return document
  if (isSame(path.slice(0, from.length), from)) throw unfit('a value cannot be moved into itself')
  return add(remove(document, from), path, value)
}

function copy(document: unknown, from: readonly string[], path: readonly string[], copied: number): State {
  const value = present(document, from)
  const total = copied + JSON.stringify(value).length
  if (total > MOST_COPIED) throw tooLarge('the patch copies too much')
  return { document: add(document, path, value), copied: total }
}

function present(document: unknown, path: readonly string[]): unknown {
  const value = valueAt(document, path)
  if (value === undefined) throw missing(path)
  return value
}

/** Rebuilds what is on the way to the last step, where `edit` decides. */
function change(
  node: unknown,
  path: readonly string[],
  edit: (parent: unknown, key: string) => unknown,
  whole?: unknown,
): unknown {
  if (path.length === 0) return whole
  const [key = ROOT, ...rest] = path
  if (rest.length === 0) return edit(node, key)
  if (isFields(node) && Object.hasOwn(node, key)) return withField(node, key, change(node[key], rest, edit))
  if (Array.isArray(node) && isNumbered(key) && Number(key) < node.length) {
    return node.with(Number(key), change(node[Number(key)], rest, edit))
  }
  throw missing(path)
}

function show(path: readonly string[]): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function missing(path: readonly string[]): ApiError {
  return unfit(`there is no "${show(path)}"`)
}

/** Kubernetes says no more than the first half. */
function unfit(why: string): ApiError {
  return new ApiError(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {})
}

function tooLarge(why: string): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `the request is too large: ${why}`, {})
}
