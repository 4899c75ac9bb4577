import { cniError } from '../../cni/errors.ts'
import { decodeJson, type Json, ShapeError } from '../../cni/json.ts'
import { MAX_WISHES, WISH_TOO_LONG } from '../../network/model/pod.ts'
import { readElement } from './element.ts'
import { readingAnnotation } from './errors.ts'
import { DEFAULT_NETWORK, NETWORKS, type NetworkSelection } from './selection.ts'
import { parseShortForm } from './short-form.ts'

/** More networks of one pod are refused. */
const MAX_NETWORKS = 64
/** Characters; Kubernetes has a limit of 256 KiB for all annotations of an object together. */
const MAX_TEXT = 262_144

/**
 * The networks that the annotation `k8s.v1.cni.cncf.io/networks` asks for, in its order: JSON if it holds any of `[`, `{`
 * and `"`, else names between commas. An empty one asks for none. Throws `annotation-invalid`, which names annotation,
 * element and field.
 */
export function parseNetworks(text: string, podNamespace: string): readonly NetworkSelection[] {
  return text === '' ? [] : parse(NETWORKS, text, podNamespace)
}

/**
 * The network that the annotation `v1.multus-cni.io/default-network` puts in the place of the cluster's; a name without
 * namespace is one of `installNamespace`. Throws `annotation-invalid`, also for more than one element or none.
 */
export function parseDefaultNetwork(text: string, installNamespace: string): NetworkSelection {
  const [first, ...rest] = parse(DEFAULT_NETWORK, text, installNamespace)
  if (first !== undefined && rest.length === 0) return first
  const expected = `must name one network and names ${rest.length === 0 ? 'none' : rest.length + 1}`
  throw cniError('annotation-invalid', { annotation: DEFAULT_NETWORK, field: 'networks', expected })
}

function parse(annotation: string, text: string, namespace: string): readonly NetworkSelection[] {
  return readingAnnotation(annotation, () => {
    if (text === WISH_TOO_LONG) {
      const expected = `must be shorter: all that a pod asks of networks and addresses may have ${MAX_WISHES} characters`
      throw new ShapeError('networks', expected)
    }
    if (text.length > MAX_TEXT) throw new ShapeError('networks', `must not be longer than ${MAX_TEXT} characters`)
    const items = /[[{"]/.test(text) ? listIn(text) : text.split(',')
    if (items.length > MAX_NETWORKS) {
      throw new ShapeError('networks', `must not be more than ${MAX_NETWORKS}, and are ${items.length}`)
    }
    return items.map((item, element) => ({
      ...(typeof item === 'string'
        ? parseShortForm(item.trim(), namespace, `[${element}]`)
        : readElement(item, namespace, `[${element}]`)),
      place: { annotation, element },
    }))
  })
}

/** The elements of the JSON form. A text in place of an object is no element: names are written without quotes. */
function listIn(text: string): readonly Exclude<Json, string>[] {
  const value = decoded(text)
  if (!Array.isArray(value)) throw new ShapeError('networks', 'must be a JSON list of objects')
  return value.map((item: Json, element) => {
    if (typeof item === 'string') throw new ShapeError(`[${element}]`, 'must be an object')
    return item
  })
}

function decoded(text: string): Json {
  try {
    return decodeJson(text)
  } catch (error) {
    throw new ShapeError('networks', `must be JSON: ${error instanceof SyntaxError ? error.message : 'it is not'}`)
  }
}
