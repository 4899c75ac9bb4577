/**
 * resolv.conf(5) as `ipam.resolvConf` names it. Pure.
 * @module
 */
import type { ResultDns } from '../../cni/index.ts'

/** The name resolution in a file's text. What is not understood is passed over, as every resolver does it. */
export function parseResolvConf(text: string): ResultDns {
  const nameservers: string[] = []
  const options: string[] = []
  let search: readonly string[] = []
  let domain: string | undefined
  for (const line of text.split('\n')) {
    const [key, ...words] = line.trim().split(/\s+/)
    if (key === 'nameserver' && words[0] !== undefined) nameservers.push(words[0])
    if (key === 'domain') domain = words[0]
    // The last one counts.
    if (key === 'search') search = words
    if (key === 'options') options.push(...words)
  }
  return { nameservers, ...(domain === undefined ? {} : { domain }), search, options }
}
