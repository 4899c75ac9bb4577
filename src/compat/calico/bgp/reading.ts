/**
 * The parts that Calico's objects for BGP have in common.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { BfdTimes } from '../../../network/model/bgp.ts'
import { annotationOf, at, textAt } from '../../fields.ts'
import type { MergePatch } from '../../merge.ts'
import { parseSelector } from '../selector/parse.ts'

/** Seconds in a duration as Go writes it (`1m30s`), what is none as it is. Fractions of a second are left out. */
export function secondsIn(input: unknown): unknown {
  if (typeof input !== 'string' || input.length > 32) return input
  const [, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s)?$/.exec(input) ?? []
  if (hours === undefined && minutes === undefined && seconds === undefined) return input
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
}

/** Seconds as a duration. */
export function secondsText(seconds: number | undefined): string | null {
  return seconds === undefined ? null : `${seconds}s`
}

/** A selector of a spec. Throws, as a line for people, for one that cannot be read: the whole object means nothing then. */
export function selectorIn(spec: unknown, field: string): string | undefined {
  const text = textAt(spec, field)
  const parsed = text === undefined ? undefined : parseSelector(text)
  if (parsed?.ok !== false) return text
  throw new TypeError(`spec.${field}: character ${parsed.at}: ${parsed.reason}; correct the selector`)
}

/** The name of a password: `{secretKeyRef: {name, key}}`. */
export function passwordIn(input: unknown): unknown {
  if (input === undefined) return undefined
  const ref = at(input, 'secretKeyRef')
  return `${textAt(ref, 'name') ?? ''}/${textAt(ref, 'key') ?? ''}`
}

/** The same as Calico has it. */
export function passwordOf(name: string | undefined): unknown {
  if (name === undefined) return null
  const [secret, key] = name.split('/')
  return { secretKeyRef: { name: secret, key } }
}

/** The numbers of a community, `65000:100` or `65000:1:2`; what is none as it is. */
export function communityIn(input: unknown): unknown {
  if (typeof input !== 'string' || !/^\d{1,10}(?::\d{1,10}){1,2}$/.test(input)) return input
  return input.split(':').map(Number)
}

/** What a word means; one that is not known as it is. */
export function wordIn<T>(words: Readonly<Record<string, T>>, input: unknown): unknown {
  return typeof input === 'string' && Object.hasOwn(words, input) ? words[input] : input
}

/** The word that means this. */
export function wordOf<T>(words: Readonly<Record<string, T>>, value: T | undefined): string | null {
  return Object.keys(words).find((word) => words[word] === value) ?? null
}

/** Calico has no word for BFD. */
const BFD = 'weft.dev/bfd'
const BFD_ON = 'on'
const BFD_OFF = 'off'
/** What `on` means: BIRD’s common times. */
const USUAL: BfdTimes = { interval: 300, multiplier: 3 }

/** Whether a peer is to be watched by BFD. Throws, as a line for people, for what is neither `on` nor `off`. */
export function bfdIn(object: KubeObject): boolean | undefined {
  const text = annotationOf(object, BFD)
  if (text === undefined) return undefined
  if (text === BFD_ON || text === BFD_OFF) return text === BFD_ON
  throw unknownBfd(text, `write ${BFD_ON} or ${BFD_OFF}; times are said at the BGPConfiguration default, for all`)
}

/**
 * The same with times: `on`, or `100ms x 3`, said when a peer says nothing for so long, so many times. Throws, as a line for people,
 * for anything else.
 */
export function bfdTimesIn(object: KubeObject): BfdTimes | undefined {
  const text = annotationOf(object, BFD)
  if (text === undefined || text === BFD_OFF) return undefined
  if (text === BFD_ON) return USUAL
  const [, interval, multiplier] = /^(\d{1,6})ms ?x ?(\d{1,4})$/.exec(text) ?? []
  if (interval === undefined) throw unknownBfd(text, `write ${BFD_ON}, ${BFD_OFF}, or times such as 100ms x 3`)
  return { interval: Number(interval), multiplier: Number(multiplier) }
}

function unknownBfd(text: string, remedy: string): TypeError {
  return new TypeError(`annotation ${BFD}: ${JSON.stringify(text.slice(0, 40))} is no such word; ${remedy}`)
}

/** The annotation that says so. */
export function bfdAnnotation(bfd: BfdTimes | boolean | undefined): MergePatch {
  const word =
    bfd === undefined ? null : bfd === true ? BFD_ON : bfd === false ? BFD_OFF : `${bfd.interval}ms x ${bfd.multiplier}`
  return { annotations: { [BFD]: word } }
}
