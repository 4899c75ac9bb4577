/**
 * openrc: `KEY=value` lines, with and without `export` and quotes. Read, never run: what a shell would have to work out is
 * refused.
 * @module
 */
import { configError } from '../errors.ts'
import { type Settings, settingsInEnvironment } from './settings.ts'

/** What an openrc says. */
export interface Openrc {
  readonly settings: Settings
  /** `OS_VIF_ID`: the Neutron port of the node's own interface, in what `external_ids:neutron-config` names. */
  readonly vifId?: string
}

/** Reads an openrc's text. Throws `OPENSTACK_CONFIG`, which names the line and nothing of its content. */
export function parseOpenrc(text: string, file: string): Openrc {
  const variables = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const where = `line ${index + 1} of ${file}`
    const entry = assignmentIn(line.trim(), where)
    if (entry !== undefined) variables.set(...entry)
  }
  const settings = settingsInEnvironment(Object.fromEntries(variables))
  const vifId = variables.get('OS_VIF_ID')
  return { settings, ...(vifId === undefined || vifId === '' ? {} : { vifId }) }
}

function assignmentIn(line: string, where: string): readonly [string, string] | undefined {
  if (line === '' || line.startsWith('#') || /^unset\s+[\w\s]+$/.test(line)) return undefined
  const [, name = '', rest = ''] = /^(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line) ?? []
  if (name === '') throw configError(`${where} is no KEY=value`, 'write one variable in a line')
  const value = plainValue(rest.trim())
  if (value !== undefined) return [name, value]
  // Others may hold what they like: `PS1='[\u@\h]\$ '`.
  if (!name.startsWith('OS_')) return undefined
  throw configError(`the value in ${where} is for a shell to work out`, 'write the value itself, in single quotes')
}

/** A value without its quotes; undefined for one that a shell would have to work out. */
function plainValue(text: string): string | undefined {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(text)?.[1]
  if (single !== undefined) return single
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(text)?.[1]
  if (double !== undefined) return /(?<!\\)[$`]/.test(double) ? undefined : double.replace(/\\(["\\$`])/g, '$1')
  if (/^["']/.test(text)) return undefined
  const plain = text.replace(/\s+#.*$/, '')
  return /^[$]|[$][({\w]|`|\s/.test(plain) ? undefined : plain
}
