import { ShapeError } from '../../cni/json.ts'
import { isNamespaceName, isObjectName } from '../../network/model/names.ts'
import { ifnameProblem } from './interface-name.ts'
import type { NetworkSelection } from './selection.ts'

/** A selection without where it was made. */
export type Selected = Omit<NetworkSelection, 'place'>

/** `[<namespace>/]<name>[@<interface>]`. Throws `ShapeError` whose path starts with `path`. */
export function parseShortForm(text: string, defaultNamespace: string, path: string): Selected {
  const { rest, ifname } = withoutIfname(text, path)
  const parts = rest.split('/')
  if (parts.length > 2) throw new ShapeError(path, 'must not have more than one "/"')
  const [name = '', namespace = defaultNamespace] = parts.toReversed().map((part) => part.trim())
  if (!isObjectName(name) || name.includes('.')) {
    throw new ShapeError(`${path}.name`, 'must be the name of a network: lower case letters, digits and dashes')
  }
  if (!isNamespaceName(namespace)) {
    throw new ShapeError(`${path}.namespace`, 'must be a namespace name')
  }
  return { namespace, name, ...(ifname === undefined ? {} : { ifname }), wishes: {} }
}

function withoutIfname(text: string, path: string): { readonly rest: string; readonly ifname?: string } {
  const [rest = '', after, ...more] = text.split('@')
  if (after === undefined) return { rest }
  if (more.length > 0) throw new ShapeError(path, 'must not have more than one "@"')
  const ifname = after.trim()
  const problem = ifnameProblem(ifname)
  if (problem !== undefined) throw new ShapeError(`${path}.interface`, problem)
  return { rest, ifname }
}
