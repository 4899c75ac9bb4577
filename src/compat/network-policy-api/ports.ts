/**
 * Ports as version v1alpha1 of `policy.networking.k8s.io` has them.
 * @module
 */
import type { PortMatch } from '../../network/model/policy.ts'
import type { MergePatch } from '../merge.ts'
import type { Notes } from '../policy/notes.ts'
import { choiceIn, fieldsIn, namedIn, numbersIn, protocolIn } from '../policy/reading.ts'
import { plainPort } from '../policy/writing.ts'

/** A port of a rule. */
export function portIn(input: unknown, notes: Notes): PortMatch | undefined {
  const choice = choiceIn(input, ['portNumber', 'portRange', 'namedPort'], notes)
  if (choice === undefined) return undefined
  const { key, value } = choice
  const place = notes.at(key)
  if (key === 'namedPort') return namedIn(value, undefined, place)
  const [from, to] = key === 'portNumber' ? ['port', 'port'] : ['start', 'end']
  const fields = fieldsIn(value, ['protocol', from, to], place)
  if (fields === undefined) return undefined
  const protocol = protocolIn(fields['protocol'], 'TCP', place.at('protocol'))
  return protocol === undefined ? undefined : numbersIn(protocol, fields[from], fields[to], place)
}

/** The words for a port. */
export function portOf(one: PortMatch): MergePatch {
  const port = plainPort(one)
  if (port.type === 'named') return { namedPort: port.name }
  const [from, to] = port.type === 'protocol' ? [1, 65_535] : [port.from, port.to]
  if (from === to) return { portNumber: { protocol: port.protocol, port: from } }
  return { portRange: { protocol: port.protocol, start: from, end: to } }
}
