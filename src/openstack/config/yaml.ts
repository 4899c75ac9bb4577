/**
 * YAML with passwords in it, as plain values. Errors name the line and never repeat it.
 * @module
 */
import { parseDocument } from 'yaml'
import { type Fields, isFields } from '../decode.ts'
import { configError } from '../errors.ts'

const MOST = 1 << 20

/** What a file's text says, as an object; an empty file is an empty one. Throws `OPENSTACK_CONFIG`. */
export function parseSecretYaml(text: string, file: string): Fields {
  if (text.length > MOST) throw configError(`${file} is larger than a clouds.yaml can be`, 'check which file it is')
  // The library compares every key with every other one, for minutes where there are many.
  const document = parseDocument(text, { uniqueKeys: false, logLevel: 'silent' })
  const [error] = document.errors
  if (error !== undefined) {
    const line = error.linePos?.[0].line
    throw configError(`${file} is not YAML${line === undefined ? '' : ` in line ${line}`}`, 'correct that line')
  }
  const value = plain(() => document.toJS({ maxAliasCount: 10 }), file) ?? {}
  if (isFields(value)) return value
  throw configError(`${file} is not what a clouds.yaml is`, 'it begins with "clouds:"')
}

function plain(read: () => unknown, file: string): unknown {
  try {
    return read()
  } catch {
    throw configError(`${file} refers to itself too often`, 'write values in place of aliases')
  }
}
