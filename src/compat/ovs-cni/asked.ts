/**
 * What is asked for one attachment beside its network's configuration: a MAC address and a port of OVN's, from every place
 * that runtimes and Multus write it to.
 * @module
 */
import type { CniArgs } from '../../cni/args.ts'
import { asUnicastMac } from '../../cni/formats.ts'
import { isObject, type JsonObject, member, optionalObject, ShapeError } from '../../cni/json.ts'
import { type Mac, parseMac } from '../../network/model/address.ts'

/** A value, and the field that it came from, for people. */
export interface Asked<T> {
  readonly value: T
  readonly field: string
}

/** OVSDB takes any text; OVN's ports are named by people and by OpenStack. */
const OVN_PORT = /^[!-~]{1,255}$/

/** The MAC address that is asked for: `runtimeConfig.mac`, else `MAC` of CNI_ARGS, else `mac` of `args.cni`. */
export function macAsked(config: JsonObject, args: CniArgs): Asked<Mac> | undefined {
  const runtime = optionalObject(config, 'runtimeConfig', 'runtimeConfig') ?? {}
  const asked = textOf(member(runtime, 'mac'), 'runtimeConfig.mac') ?? fromArgs(config, args, 'MAC')
  if (asked === undefined) return undefined
  const mac = parseMac(asUnicastMac(asked.value, asked.field))
  if (mac === undefined) throw new ShapeError(asked.field, 'must be a MAC address')
  return { ...asked, value: mac }
}

/** The port of OVN's that the attachment is to be: `OvnPort` of CNI_ARGS, else `ovnPort` of `args.cni`. */
export function ovnPortAsked(config: JsonObject, args: CniArgs): Asked<string> | undefined {
  const asked = fromArgs(config, args, 'OvnPort')
  if (asked !== undefined && !OVN_PORT.test(asked.value))
    throw new ShapeError(asked.field, 'must be the name of a logical port: printable characters without spaces')
  return asked
}

/** Multus hands a pod's `cni-args` on as `args.cni`, in whichever case they were written; what is no text is not ours. */
function fromArgs(config: JsonObject, { pairs }: CniArgs, key: string): Asked<string> | undefined {
  const isKey = (name: string): boolean => name.toLowerCase() === key.toLowerCase()
  const [, fromRuntime] = [...pairs].find(([name, value]) => isKey(name) && value !== '') ?? []
  if (fromRuntime !== undefined) return { value: fromRuntime, field: `${key} in CNI_ARGS` }
  const args = member(config, 'args')
  const cni = isObject(args) ? member(args, 'cni') : undefined
  if (!isObject(cni)) return undefined
  for (const [name, value] of Object.entries(cni)) {
    const asked = isKey(name) ? textOf(value, `args.cni.${name}`) : undefined
    if (asked !== undefined) return asked
  }
  return undefined
}

function textOf(value: unknown, field: string): Asked<string> | undefined {
  return typeof value === 'string' && value !== '' ? { value, field } : undefined
}
