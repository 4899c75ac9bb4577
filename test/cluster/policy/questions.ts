/**
 * What a pod asks all the others, and what somebody says about it.
 * @module
 */
import { familyOf, type Ip } from '../../../src/network/model/address.ts'
import type { Pod } from '../../../src/network/model/pod.ts'
import { judge } from '../../../src/network/policy/oracle.ts'
import type { Connection } from '../../../src/network/policy/verdict.ts'
import { SERVED_PORTS } from '../../tables/policy/objects.ts'
import type { ApiWorld } from './api-world.ts'
import { SERVICE_PORTS, saidBy } from './pods.ts'

/** A question to an address: of a pod, or of the service in front of it. */
export interface Question {
  /** As policies see it: behind the service. */
  readonly connection: Connection
  /** Where the packets are sent. */
  readonly address: string
  readonly port: number
  /** Who should answer. */
  readonly answerer: string
}

/** SCTP is left out: in user space the switch does not track it. */
const PROTOCOLS = ['TCP', 'UDP'] as const

/** Every port of both protocols of every other pod, of both families, by its own address and by its service's, and a ping. */
export function questionsOf(world: ApiWorld, source: Pod, pods: readonly Pod[]): readonly Question[] {
  return pods
    .filter((pod) => saidBy(pod) !== saidBy(source))
    .flatMap((pod) => pod.addresses.flatMap((address) => aboutAddress(world, source, pod, address)))
}

/** Whether each of them is allowed. */
export function oracleSays(world: ApiWorld, questions: readonly Question[]): readonly boolean[] {
  return questions.map(({ connection }) => judge(world, connection).allowed)
}

/** For people: `x/a → y/b TCP/80 by 172.30.1.2:8080`. */
export function textOf({ connection, address, port, answerer }: Question): string {
  const { source, protocol } = connection
  const from = source.type === 'pod' ? saidBy(source.pod) : source.address
  return `${from} → ${answerer} ${protocol}/${connection.port} by ${address} ${port}`
}

function aboutAddress({ services }: ApiWorld, source: Pod, pod: Pod, address: Ip): readonly Question[] {
  const family = familyOf(address)
  const own = source.addresses.find((one) => familyOf(one) === family)
  if (own === undefined) return []
  const answerer = saidBy(pod)
  const service = services.get(answerer)?.find((one) => familyOf(one) === family)
  const about = (protocol: Connection['protocol'], port: number): Connection => ({
    source: { type: 'pod', pod: source, address: own },
    destination: { type: 'pod', pod, address },
    protocol,
    port,
  })
  const direct = SERVED_PORTS.flatMap((port) =>
    PROTOCOLS.map((protocol) => ({ connection: about(protocol, port), address, port, answerer })),
  )
  const served = direct.flatMap((one) =>
    service === undefined ? [] : [{ ...one, address: service, port: SERVICE_PORTS[one.port] }],
  )
  return [...direct, ...served, { connection: about('ICMP', 0), address, port: 0, answerer }]
}
