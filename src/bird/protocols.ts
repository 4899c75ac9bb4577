/**
 * BIRD's protocols, of which sessions are one kind.
 * @module
 */
import { ask, type ControlSocket } from './control.ts'
import type { Reply } from './reply.ts'

/** What a session says of itself. */
export interface BgpFacts {
  /** `Established`, `Active`, `Connect`, … */
  readonly state: string
  readonly neighbour: string
  readonly neighbourAs: number
  readonly localAs: number
  /** Absent before there was any. */
  readonly lastError?: string
}

/** Routes of one family. */
export interface Channel {
  /** `ipv4`, `ipv6` */
  readonly name: string
  readonly isUp: boolean
  /** How many routes; absent while the channel is down. */
  readonly routes?: { readonly imported: number; readonly exported: number; readonly preferred: number }
}

/** A protocol. */
export interface BirdProtocol {
  readonly name: string
  /** `BGP`, `Kernel`, `Static`, … */
  readonly kind: string
  readonly isUp: boolean
  /** BIRD's word for it: `up`, `start`, `down`, … */
  readonly state: string
  /** Since when, as BIRD writes it: `2026-03-01 12:00:00`. */
  readonly since: string
  /** What it says beside: `Established`, `Active  Socket: Connection refused`. */
  readonly info: string
  readonly bgp?: BgpFacts
  readonly channels: readonly Channel[]
}

/** A BFD session. */
export interface BfdSession {
  readonly neighbour: string
  /** Absent where it is not one hop away. */
  readonly interface?: string
  readonly isUp: boolean
  readonly since: string
}

/** All protocols, with their channels. */
export async function birdProtocols(control: ControlSocket): Promise<readonly BirdProtocol[]> {
  return readProtocols(await ask(control, 'show protocols all'))
}

/** The BFD sessions; none where BFD is not used. */
export async function bfdSessions(control: ControlSocket): Promise<readonly BfdSession[]> {
  return readBfdSessions(await ask(control, 'show bfd sessions'))
}

const SUMMARY = 1002
const DETAIL = 1006
const BFD_SESSIONS = 1020

/** The protocols in an answer to `show protocols all`. */
export function readProtocols({ lines }: Reply): readonly BirdProtocol[] {
  const found: { readonly head: string; readonly details: string[] }[] = []
  for (const { code, text } of lines) {
    if (code === SUMMARY && text.trim() !== '') found.push({ head: text, details: [] })
    else if (code === DETAIL) found.at(-1)?.details.push(text)
  }
  return found.flatMap(({ head, details }) => protocolOf(head, details) ?? [])
}

/** The sessions in an answer to `show bfd sessions`. */
export function readBfdSessions({ lines }: Reply): readonly BfdSession[] {
  return lines.flatMap(({ code, text }) => {
    const [, neighbour, link, state, since] = BFD_LINE.exec(text) ?? []
    if (code !== BFD_SESSIONS || neighbour === undefined || since === undefined) return []
    return [
      { neighbour, isUp: state === 'Up', since, ...(link === undefined || link === '---' ? {} : { interface: link }) },
    ]
  })
}

/** Seconds since BIRD's time `since`; undefined for a text that is no time. `now`: milliseconds since 1970. */
export function secondsSince(since: string, now: number): number | undefined {
  const then = Date.parse(since.replace(' ', 'T'))
  return Number.isNaN(then) ? undefined : Math.max(0, Math.round((now - then) / 1000))
}

const TIME = String.raw`\d{4}-\d{2}-\d{2} [\d:.]+`
const BFD_LINE = new RegExp(String.raw`^\s*([0-9a-fA-F:.]+)\s+(\S+)\s+(\S+)\s+(${TIME})\s`)
const HEAD = new RegExp(String.raw`^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(${TIME}|\S+)\s*(.*)$`)

function protocolOf(head: string, details: readonly string[]): BirdProtocol | undefined {
  const [, name, kind, , state, since, info = ''] = HEAD.exec(head) ?? []
  if (name === undefined || kind === undefined || state === undefined || since === undefined) return undefined
  const bgp = kind === 'BGP' ? { bgp: bgpFacts(details) } : {}
  return { name, kind, isUp: state === 'up', state, since, info: info.trim(), ...bgp, channels: channelsOf(details) }
}

function bgpFacts(details: readonly string[]): BgpFacts {
  const said = (start: string): string | undefined =>
    details
      .find((line) => line.trim().startsWith(start))
      ?.trim()
      .slice(start.length)
      .trim()
  const lastError = said('Last error:')
  return {
    state: said('BGP state:') ?? '',
    neighbour: said('Neighbor address:') ?? '',
    neighbourAs: number(said('Neighbor AS:')),
    localAs: number(said('Local AS:')),
    ...(lastError === undefined ? {} : { lastError }),
  }
}

function channelsOf(details: readonly string[]): readonly Channel[] {
  const channels: { readonly name: string; readonly lines: string[] }[] = []
  for (const line of details) {
    const [, name] = /^\s*Channel (\S+)/.exec(line) ?? []
    if (name === undefined) channels.at(-1)?.lines.push(line)
    else channels.push({ name, lines: [] })
  }
  return channels.map(({ name, lines }) => {
    const isUp = lines.some((line) => /^\s*State:\s+UP\b/.test(line))
    const [counts] = lines.flatMap((line) => (/^\s*Routes:/.test(line) ? [line] : []))
    return { name, isUp, ...(counts === undefined ? {} : { routes: routeCounts(counts) }) }
  })
}

function routeCounts(line: string): NonNullable<Channel['routes']> {
  const count = (word: string): number => number(new RegExp(String.raw`(\d+) ${word}`).exec(line)?.[1])
  return { imported: count('imported'), exported: count('exported'), preferred: count('preferred') }
}

/** A number that BIRD wrote; what is none counts as 0. */
function number(text: string | undefined): number {
  const value = Number.parseInt(text ?? '', 10)
  return Number.isSafeInteger(value) ? value : 0
}
