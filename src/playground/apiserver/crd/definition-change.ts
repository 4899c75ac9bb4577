/**
 * What of a CustomResourceDefinition stays as it was, because objects are stored by it.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Cause } from '../http/status.ts'
import { invalidValue } from '../objects/causes.ts'
import { arrayAt, textAt, valueAt } from '../objects/shape.ts'

/** What is wrong with a change of a definition. */
export function changeProblems(crd: KubeObject, before: KubeObject): readonly Cause[] {
  const changed = FIXED.filter((path) => valueAt(crd, ...path) !== valueAt(before, ...path)).map((path) =>
    invalidValue(path.join('.'), valueAt(crd, ...path), 'field is immutable'),
  )
  const versions = new Set(arrayAt(crd, 'spec', 'versions').map((version) => textAt(version, 'name')))
  const lost = arrayAt(before, 'status', 'storedVersions').flatMap((version, index) =>
    typeof version !== 'string' || versions.has(version)
      ? []
      : [invalidValue(`status.storedVersions[${index}]`, version, 'must appear in spec.versions')],
  )
  return [...changed, ...lost]
}

const FIXED = [
  ['spec', 'group'],
  ['spec', 'scope'],
  ['spec', 'names', 'kind'],
  ['spec', 'names', 'plural'],
] as const
