import { isIPv6 } from 'node:net'
import { OvsdbError } from '../errors.ts'

/** Where an ovsdb-server listens, as ovsdb(7) writes it: `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`. */
export type Remote =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number }

const HOST_AND_PORT = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/

/** Reads a list of places with commas between them. Throws OVSDB_BAD_REMOTE. */
export function parseRemotes(text: string): readonly Remote[] {
  const parts = text.split(',').map((part) => part.trim())
  return parts.map((part) => parseRemote(part))
}

/** A place as one writes it. */
export function formatRemote(remote: Remote): string {
  if (remote.kind === 'unix') return `unix:${remote.path}`
  return `${remote.kind}:${isIPv6(remote.host) ? `[${remote.host}]` : remote.host}:${remote.port}`
}

function parseRemote(text: string): Remote {
  const colon = text.indexOf(':')
  const [kind, rest] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)]
  if (kind === 'unix' && rest !== '') return { kind, path: rest }
  if (kind !== 'tcp' && kind !== 'ssl') throw bad(text, 'it begins with neither unix:, tcp: nor ssl:')
  const [, v6, name, digits] = HOST_AND_PORT.exec(rest) ?? []
  const port = Number(digits)
  if (digits === undefined || port === 0 || port > 65_535) throw bad(text, 'it has no host and port')
  if (v6 !== undefined && !isIPv6(v6)) throw bad(text, 'what stands in brackets is no IPv6 address')
  return { kind, host: v6 ?? name ?? '', port }
}

function bad(text: string, why: string): OvsdbError {
  const shown = JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
  return new OvsdbError('OVSDB_BAD_REMOTE', `${shown} is no place of an OVSDB server: ${why}`, {
    remedy: 'write unix:/path/to/db.sock, tcp:192.0.2.1:6641 or ssl:[2001:db8::1]:6641, with commas between several',
  })
}
