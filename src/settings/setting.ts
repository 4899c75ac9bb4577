/**
 * What a setting is: data, from which the decoder, the commented file and the documentation are made.
 * @module
 */
import type { Cidr } from '../network/model/address.ts'
import type { ClusterNetwork } from '../network/model/cluster.ts'
import { below, type Decode, reject, shown } from '../network/model/decode.ts'
import { flag, integer, list, literal, network, record } from '../network/model/decoders.ts'

/** The daemons that read settings. */
export type Program = 'agent' | 'controller'

/** When a changed value counts. */
export type Applied =
  /** Within seconds, while the program runs. */
  | 'live'
  /** When the program starts. */
  | 'restart'
  /** When the cluster has no ClusterNetwork yet; afterwards that object says it. */
  | 'once'

/** What a setting's value can be. */
export interface SettingType<T> {
  /** For people: `a whole number from 0 to 86400`. */
  readonly allowed: string
  readonly decode: Decode<T>
}

/** One setting. */
export interface Setting<T = unknown> {
  readonly type: SettingType<T>
  /** Absent: none, or one that the program finds out; {@link otherwise} says which. */
  readonly default?: NoInfer<T>
  /** What holds where there is no default, for people. */
  readonly otherwise?: string
  /** A value to show in the commented file where there is no default. */
  readonly example?: NoInfer<T>
  readonly unit?: 'seconds' | 'bytes'
  /** A sentence without its full stop. */
  readonly description: string
  readonly programs: readonly Program[]
  readonly applied: Applied
  /** The option of the programs' commands that says the same and wins, without its dashes. */
  readonly flag?: string
}

/** A setting with a default, the type of its value, and that it has one. */
export type SettledSetting<T> = Setting<T> & { readonly default: T }

/** Keeps the type of a setting's value, and whether there always is one. */
export function setting<T>(one: Setting<T> & { readonly default: NoInfer<T> }): SettledSetting<T>
export function setting<T>(one: Setting<T>): Setting<T>
export function setting<T>(one: Setting<T>): Setting<T> {
  return Object.freeze(one)
}

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): SettingType<number> {
  return { allowed: `a whole number from ${min} to ${max}`, decode: integer(min, max) }
}

/** One of these words. */
export function oneOf<const T extends string>(...words: readonly T[]): SettingType<T> {
  const told = words.map((word) => `\`${word}\``)
  return { allowed: `${told.slice(0, -1).join(', ')} or ${told.at(-1)}`, decode: literal(...words) }
}

/** Whether or not. */
export const yesOrNo: SettingType<boolean> = { allowed: '`true` or `false`', decode: flag }

/** Text on one line; `what` says what it names. */
export function words(what: string, pattern = /^[\x20-\x7e]{1,1024}$/): SettingType<string> {
  const decode: Decode<string> = (input, at) =>
    typeof input === 'string' && pattern.test(input)
      ? input
      : reject(at, `${shown(input)} is not ${what}`, `give ${what}`)
  return { allowed: what, decode }
}

/** An absolute path. */
export const path: SettingType<string> = words('an absolute path', /^\/[\x21-\x7e]{0,1023}$/)

/** A file's name, without a folder. */
export const fileName: SettingType<string> = words('a file name without a folder', /^(?!\.)[A-Za-z0-9._-]{1,255}$/)

const MOST = 64

/** Networks. */
export const networks: SettingType<readonly Cidr[]> = { allowed: 'a list of networks', decode: list(network, MOST) }

/** Pod networks, each with the host bits of a node's range. */
export const podNetworks: SettingType<readonly ClusterNetwork[]> = {
  allowed: 'a list of `{cidr, hostBits}`',
  decode: (input, at) => {
    if (Array.isArray(input) && input.length === 0) return reject(at, 'the list is empty', 'give a network, or no list')
    return podNetworkList(input, at)
  },
}

const podNetworkList: Decode<readonly ClusterNetwork[]> = list((input, at) => {
  // A bare network is what people write first.
  if (typeof input === 'string')
    return reject(below(at, 'hostBits'), 'is missing', `write {cidr: ${input}, hostBits: 9}`)
  return record<ClusterNetwork>({ cidr: network, hostBits: integer(2, 128) })(input, at)
}, MOST)
