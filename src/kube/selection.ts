/**
 * One object of a collection, as the API selects it: by its name, which an API server looks up without reading the collection.
 * @module
 */
import type { ObjectName, Selection } from './api.ts'
import type { Resource } from './object.ts'
import { objectPath } from './path.ts'

/** The selection of the object at a place, or of everything. Throws `KUBE_INVALID` for a name that no object can have. */
export function selectionOf(resource: Resource, at: ObjectName | undefined): Selection {
  if (at === undefined) return {}
  objectPath(resource, at)
  const { name, namespace } = at
  // k8s.io/apimachinery, `fields.EscapeValue`.
  const fieldSelector = `metadata.name=${name.replace(/[\\,=]/g, '\\$&')}`
  return namespace === undefined ? { fieldSelector } : { namespace, fieldSelector }
}
