/**
 * What the playground's server says: who answered, and whom it saw.
 * @module
 */
import { parseIp } from '../../../network/model/address.ts'

/** Who answers. */
export interface Identity {
  /** `namespace/pod`, a node, or `outside`. */
  readonly name: string
  /** Absent outside pods. */
  readonly node?: string
}

/** An end of a connection. */
export interface End {
  readonly address: string
  readonly port: number
}

/** One line: the name, the client's address, then the rest. `shop/web 10.128.0.5 port=40112 node=node1` */
export function greeting({ name, node }: Identity, client: End): string {
  const rest = node === undefined ? '' : ` node=${node}`
  return `${name} ${plainAddress(client.address)} port=${client.port}${rest}\n`
}

/** The same for people, a fact per line. */
export function page({ name, node }: Identity, client: End, server: End, target: string): string {
  const [namespace, pod] = name.split('/')
  const who = pod === undefined ? [`name: ${name}`] : [`pod: ${pod}`, `namespace: ${namespace}`]
  const facts = [...who, ...(node === undefined ? [] : [`node: ${node}`]), `client: ${endText(client)}`]
  return `${[...facts, `server: ${endText(server)}`, `path: ${target}`].join('\n')}\n`
}

/** An IPv4 client of a socket of both families is `::ffff:1.2.3.4` to it. */
export function plainAddress(address: string): string {
  const text = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return parseIp(text) ?? text
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function endText({ address, port }: End): string {
  const plain = plainAddress(address)
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
