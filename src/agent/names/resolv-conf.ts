/**
 * Which DNS servers the node asks: resolv.conf(5).
 * @module
 */
import { isIP } from 'node:net'
import { readRegularFile } from '../install/regular-file.ts'

/** The resolver of the C library takes no more. */
const MOST_SERVERS = 3
/** What it asks where the file names none. */
const OWN_HOST: readonly string[] = ['127.0.0.1']

/** Addresses of the servers, an IPv6 one with its link where it has one. Throws when the file cannot be read. */
export function nameServersOf(path: string): readonly string[] {
  return nameServersIn(readRegularFile(path))
}

/** The servers that a resolv.conf names. */
export function nameServersIn(text: string): readonly string[] {
  const servers = text.split('\n').flatMap((line) => {
    const [keyword, value = ''] = line.trim().split(/\s+/)
    return keyword === 'nameserver' && isIP(value) !== 0 ? [value] : []
  })
  return servers.length === 0 ? OWN_HOST : servers.slice(0, MOST_SERVERS)
}
