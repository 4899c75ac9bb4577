import { cniError } from './errors.ts'
import { ShapeError } from './json.ts'

/**
 * Runs a reader of a configuration; its complaint about a shape becomes code 7, naming the field. `source` stands before
 * the field, where there are several configurations: `kube-system/macvlan-conf`.
 */
export function readingConfig<Value>(read: () => Value, source?: string): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const field = source === undefined ? error.path : `${source}: ${error.path}`
    throw cniError('config-invalid', { field, expected: error.expected })
  }
}
