/**
 * A node's network configuration, as container runtimes read it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { type Fields, fields, list, text } from '../read.ts'

/** A list of plugins to be called in order. */
export interface NetworkConf {
  readonly cniVersion: string
  readonly name: string
  readonly plugins: readonly Fields[]
}

/** Reads a `.conflist`, or a `.conf` as a list of one. Throws with what is wrong. */
export function readConf(path: string): NetworkConf {
  const conf = fields(JSON.parse(readFileSync(path, 'utf8')))
  const plugins = conf['plugins'] === undefined ? [conf] : list(conf['plugins']).map(fields)
  if (plugins.length === 0 || plugins.some(({ type }) => !/^[\w.-]+$/.test(text(type) ?? ''))) {
    throw new Error(`${path} names no plugin`)
  }
  return { cniVersion: text(conf['cniVersion']) ?? '0.4.0', name: text(conf['name']) ?? '', plugins }
}
