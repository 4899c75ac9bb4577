import { type CniError, cniError } from '../../cni/errors.ts'
import { ShapeError } from '../../cni/json.ts'
import type { Place } from './selection.ts'

/** That a part of an annotation cannot be met; `field` is within the element, or empty. */
export function refusedAt({ annotation, element }: Place, field: string, expected: string): CniError {
  const where = field === '' ? `[${element}]` : `[${element}].${field}`
  return cniError('annotation-invalid', { annotation, field: where, expected })
}

/** Runs a reader of an annotation; its complaint about a shape becomes an error that names the annotation and field. */
export function readingAnnotation<Value>(annotation: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof ShapeError) {
      throw cniError('annotation-invalid', { annotation, field: error.path, expected: error.expected })
    }
    throw error
  }
}
