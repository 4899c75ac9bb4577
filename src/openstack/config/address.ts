/**
 * Addresses of services.
 * @module
 */
import { configError } from '../errors.ts'

/**
 * Keystone's v3 address out of what people write: with and without `/v3`, with a slash behind, and v2.0, which no Keystone
 * has had since 2018 (the Queens release). Throws `OPENSTACK_CONFIG`.
 */
export function keystoneAddress(text: string): { readonly url: string; readonly wasV2: boolean } {
  const base = serviceAddress(text, 'the auth URL')
  const [, path = base, version = ''] = /^(.*?)\/(v3|v2(?:\.0)?)$/.exec(base) ?? []
  return { url: `${path}/v3`, wasV2: version.startsWith('v2') }
}

/** Neutron's v2.0 address out of a catalogue's or a person's. Throws `OPENSTACK_CONFIG`. */
export function neutronAddress(text: string): string {
  const base = serviceAddress(text, "Neutron's address")
  return /\/v2\.0$/.test(base) ? base : `${base}/v2.0`
}

/** `http[s]://host[:port][/path]` without a slash at its end. What it holds is not repeated: it may be a password. */
export function serviceAddress(text: string, what: string): string {
  const url = URL.parse(text.trim())
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw configError(`${what} is no http or https address`, 'write it as https://host:5000/v3')
  }
  if (url.username !== '' || url.password !== '') {
    throw configError(`${what} has a user in it`, 'give user name and password by themselves')
  }
  if (url.search !== '' || url.hash !== '') {
    throw configError(`${what} has a query or a fragment`, 'remove what begins with ? or #')
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

/** Whether others may read along: plain HTTP that leaves the machine. */
export function isOpen(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
