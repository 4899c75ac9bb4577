/** ICMP errors about connections, where policies isolate whoever sends them. */
import { describe, expect, test } from 'bun:test'
import { type Fields, from, icmp4, tcp4, v4 } from '../../../test/tables/packets.ts'
import { SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import type { Policy } from '../model/policy.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { dropByCode } from '../pipeline/drops.ts'
import type { NodePlanner } from '../planner.ts'
import { Connections, compileSwitch, packetOf, simulate } from '../simulate/simulate.ts'

const { web, api } = SAMPLE_PODS
/** Its second endpoint is `api`. */
const SERVICE = '172.30.0.10'
const call = { ...from(web), ...tcp4(v4(web), SERVICE), tcp_dst: 80 }
const arrived = tcp4(v4(web), v4(api))
const error = { ...from(api), ...icmp4(3, v4(api), v4(web)) }

describe('an error of an isolated pod', () => {
  test('passes when it is about a connection that is allowed', () => {
    const here = new Here(policy({ egress: [] }))
    expect(here.send(call)).toBe(api.ofport)
    expect(here.send(error, arrived)).toBe(web.ofport)
  })

  test('ends when it is about a connection to a service that is not allowed, though the switch knows it', () => {
    const here = new Here(policy({ ingress: [], egress: [] }))
    expect(here.send(call)).toBe('ingress-isolated')
    expect(here.send(error, arrived)).toBe('unasked-answer')
  })
})

class Here {
  readonly #connections = new Connections()
  readonly #switch

  constructor(one: Policy) {
    const planner = planned(one)
    this.#switch = compileSwitch(planner.flows(), planner.groups())
  }

  send(packet: Fields, quoted?: Fields) {
    const { steps, outputs } = simulate(this.#switch, packetOf(packet), {
      connections: this.#connections,
      pick: ({ buckets }) => buckets[1],
      ...(quoted === undefined ? {} : { quoted: packetOf(quoted) }),
    })
    return dropByCode(parseCookie(steps.at(-1)?.flow?.cookie ?? 0n)?.dropCode ?? 0) ?? outputs[0]?.port
  }
}

function planned(one: Policy): NodePlanner {
  const planner = samplePlanner()
  for (const { pod: name, addresses } of [web, api]) {
    planner.putPod({ namespace: 'shop', name, uid: name, node: 'node1', addresses, labels: { app: name } })
  }
  planner.putPolicy(one)
  return planner
}

/** What `shop/api` may do. */
function policy(directions: Pick<Policy, 'ingress' | 'egress'>): Policy {
  const pods = [{ key: 'app', operator: 'In', values: ['api'] }] as const
  const subject = { namespaces: { name: 'shop' }, pods }
  return {
    kind: 'NetworkPolicy',
    namespace: 'shop',
    name: 'api',
    tier: 'namespace',
    priority: 0,
    subject,
    ...directions,
  }
}
