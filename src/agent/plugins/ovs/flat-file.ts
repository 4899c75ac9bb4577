/**
 * The file by which a node's administrator fills in what configurations leave empty.
 * @module
 */
import { cniError, type JsonObject } from '../../../cni/index.ts'
import { decodeJsonObject } from '../../../cni/json.ts'
import { FLAT_FILES, withFlatFile } from '../../../compat/ovs-cni/netconf.ts'
import { readRegularFile } from '../../install/regular-file.ts'

/**
 * A configuration with what it leaves empty taken from the first file that exists: the one it names, which the caller has
 * found to be an administrator's word, else the node's. Throws `config-invalid` where that file cannot be read or is no
 * JSON; the error has nothing of what is in it.
 */
export function withNodeFile(
  config: JsonObject,
  named: string | undefined,
  usual: readonly string[] = FLAT_FILES,
): JsonObject {
  for (const path of [...(named === undefined ? [] : [named]), ...usual]) {
    const text = textOf(path)
    if (text !== undefined) return withFlatFile(config, decode(text, path))
  }
  return config
}

function textOf(path: string): string | undefined {
  try {
    return readRegularFile(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unusable(
      path,
      typeof code === 'string' ? `it cannot be read (${code})` : 'it is no regular file of 1 MiB at most',
    )
  }
}

function decode(text: string, path: string): JsonObject {
  try {
    return decodeJsonObject(new TextEncoder().encode(text))
  } catch (error) {
    throw unusable(path, `it is not a JSON object: ${error instanceof SyntaxError ? error.message : 'unknown fault'}`)
  }
}

function unusable(path: string, reason: string): Error {
  return cniError('config-invalid', { field: `flat file ${path}`, expected: reason })
}
