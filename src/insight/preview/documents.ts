/**
 * The policies in a file: YAML or JSON, one document or many, lists too, read as the cluster's own are.
 * @module
 */
import { isMap, isSeq, parseAllDocuments } from 'yaml'
import { weftBindings } from '../../compat/bindings.ts'
import { PUBLIC_VERSION } from '../../compat/calico/policy/resources.ts'
import { at, listAt, textAt } from '../../compat/fields.ts'
import { apiVersionOf, type KubeObject } from '../../kube/object.ts'
import { describeProblems, shown } from '../../network/model/decode.ts'
import { POLICY_KINDS, type Policy, type PolicyKind, policyKey } from '../../network/model/policy.ts'
import { decodePolicy } from '../../network/model/validate-policy.ts'
import { InsightError } from '../errors.ts'

/** A policy as somebody wrote it. */
export interface Given {
  readonly policy: Policy
  readonly object: KubeObject
}

/** A file's content. */
export interface Source {
  /** As it is called in errors. */
  readonly name: string
  readonly text: string
}

/** More text than this is refused. */
export const MOST_CHARACTERS = 8 * 1024 * 1024
const MOST_DEPTH = 1_000

/**
 * The policies in some files. `namespace` is that of objects that name none. Throws INSIGHT_USAGE for what is no YAML, and
 * for what is no policy: a preview that left something out would be none.
 */
export function policiesIn(sources: readonly Source[], namespace: string): readonly Given[] {
  const total = sources.reduce((sum, { text }) => sum + text.length, 0)
  if (total > MOST_CHARACTERS) {
    throw usage(`${total} characters of policies are too many`, `give at most ${MOST_CHARACTERS} at a time`)
  }
  const given = sources.flatMap((source) =>
    objectsIn(source).map(({ place, value }) => givenIn(value, place, namespace)),
  )
  if (given.length === 0)
    throw usage(`there is no policy in ${sources.map(({ name }) => name).join(', ')}`, 'name a file with some')
  const seen = new Set<string>()
  for (const { policy } of given) {
    if (seen.has(policyKey(policy))) throw usage(`${policyKey(policy)} is there twice`, 'leave one of them out')
    seen.add(policyKey(policy))
  }
  return given
}

/** An object, and where it is, for errors. */
interface Placed {
  readonly place: string
  readonly value: unknown
}

function objectsIn({ name, text }: Source): readonly Placed[] {
  const documents = parsed(name, text)
  return documents.flatMap((value, i) => {
    const place = documents.length === 1 ? name : `document ${i + 1} of ${name}`
    return value === null || value === undefined ? [] : unpacked({ place, value })
  })
}

/** A list's items, and theirs. */
function unpacked({ place, value }: Placed): readonly Placed[] {
  if (textAt(value, 'kind')?.endsWith('List') !== true || !Array.isArray(at(value, 'items'))) return [{ place, value }]
  return listAt(value, 'items').map((item, i) => ({ place: `item ${i + 1} of ${place}`, value: item }))
}

function parsed(name: string, text: string): readonly unknown[] {
  if (depthOf(text) > MOST_DEPTH) throw notYaml(name, `more than ${MOST_DEPTH} brackets are open at a time`)
  try {
    if (/^\s*[{[]/.test(text)) return [JSON.parse(text)]
  } catch {
    // YAML has a form that begins like JSON.
  }
  try {
    // The library compares every key with every other one, for minutes where there are many.
    const documents = parseAllDocuments(text, { uniqueKeys: false })
    if (!Array.isArray(documents)) return []
    return documents.map(({ errors, contents }, i) => {
      const [error] = errors
      if (error !== undefined) throw notYaml(name, error.message)
      const twice = repeatedKey(contents)
      if (twice !== undefined) throw notYaml(name, `${shown(twice)} is there twice`)
      return documents[i]?.toJS({ maxAliasCount: 10 })
    })
  } catch (error) {
    if (error instanceof InsightError) throw error
    throw notYaml(name, error instanceof Error ? error.message : '')
  }
}

/** How many brackets are open at a time: the library takes minutes where they are very many. */
function depthOf(text: string): number {
  let [depth, most] = [0, 0]
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1)
    if (depth > most) most = depth
  }
  return most
}

/** A key that a map has twice. */
function repeatedKey(node: unknown): string | undefined {
  const seen = new Set<string>()
  const items = isMap(node) || isSeq(node) ? node.items : []
  for (const item of items as readonly unknown[]) {
    const isPair = isMap(node) && typeof item === 'object' && item !== null && 'key' in item && 'value' in item
    const name = isPair ? String(item.key) : undefined
    const twice = name !== undefined && seen.has(name) ? name : repeatedKey(isPair ? item.value : item)
    if (twice !== undefined) return twice
    if (name !== undefined) seen.add(name)
  }
  return undefined
}

function givenIn(value: unknown, place: string, namespace: string): Given {
  const kind = kindOf(value, place)
  const { resource, nameOf, decode } = weftBindings[kind]
  const name = textAt(value, 'metadata', 'name')
  if (name === undefined) throw usage(`the ${kind} in ${place} has no metadata.name`, 'give it one')
  const space = resource.namespaced ? { namespace: textAt(value, 'metadata', 'namespace') ?? namespace } : {}
  const object = { ...(value as KubeObject), metadata: { name, ...space } }
  if (nameOf(object) === undefined) throw usage(`no ${kind} of the name ${shown(name)} counts`, 'call it default')
  const decoded = decodePolicy(decode(object))
  if (!decoded.ok) {
    throw usage(`the ${kind} in ${place} is none: ${describeProblems(decoded.problems)}`, 'correct it')
  }
  return { policy: decoded.value, object }
}

function kindOf(value: unknown, place: string): PolicyKind {
  const [apiVersion, kind] = [textAt(value, 'apiVersion'), textAt(value, 'kind')]
  const named = POLICY_KINDS.filter((one) => weftBindings[one].resource.kind === kind)
  const group = apiVersion === PUBLIC_VERSION ? apiVersionOf(weftBindings.GlobalNetworkPolicy.resource) : apiVersion
  const found = named.find((one) => apiVersionOf(weftBindings[one].resource) === group) ?? named[0]
  if (found === undefined) {
    const what = kind === undefined ? 'is no object with a kind' : `is a ${shown(kind)}, and no policy`
    throw usage(`what is in ${place} ${what}`, `give only ${POLICY_KINDS.join(', ')}`)
  }
  const expected = apiVersionOf(weftBindings[found].resource)
  if (group === expected) return found
  throw usage(`the ${found} in ${place} is of ${shown(apiVersion)}`, `give one of ${expected}`)
}

function notYaml(name: string, message: string): InsightError {
  // The library's first line ends with a colon where the place is quoted below it.
  return usage(`${name} is no YAML: ${(message.split('\n')[0] ?? '').replace(/:$/, '')}`, 'correct it')
}

function usage(cause: string, remedy: string): InsightError {
  return new InsightError('INSIGHT_USAGE', cause, remedy)
}
