/** Real packets of a pod with a leg, on macvlan; what needs ipvlan is in test/vm/kernel-ptp.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { call } from '../../../../test/lab/calls.ts'
import type { Scratch } from '../../../linux/testing/scratch.ts'
import { ip } from '../../../network/model/address.ts'
import { AT, NODE_PORT, PORT, Site } from './testing/site.ts'

describe.each([4, 6] as const)('IPv%i', (family) => {
  let site: Site
  beforeAll(async () => {
    site = new Site(`wefttest-ptp-${process.pid}-${family}`)
    await site.kubeProxy()
    await site.attach({ type: 'macvlan' })
    await site.attach({ type: 'macvlan' }, {}, site.otherCall({}))
  })
  afterAll(() => site[Symbol.dispose]())

  test('a service’s endpoint on the wire sees the pod’s own address', async () => {
    const leg = site.watch(site.node, site.leg())
    const wire = site.watch(site.far, 'eth0')
    expect(await seen(site.pod, AT.service[family], 80)).toEqual({ server: 'far', client: AT.pod[family] })
    expect(leg.pairs).toContain(`${AT.pod[family]}>${AT.service[family]}`)
    expect(leg.pairs).not.toContain('a redirect')
    expect(leg.pairs).toContain(`${AT.service[family]}>${AT.pod[family]}`)
    expect(unicast(wire.pairs)).toEqual(
      [`${AT.pod[family]}>${AT.far[family]}`, `${AT.far[family]}>${AT.pod[family]}`].toSorted(),
    )
    leg.close()
    wire.close()
  })

  test.each([
    ['a neighbour of the wire', 'far', AT.far[family], PORT],
    ['the other pod', 'other', AT.other[family], PORT],
  ] as const)('%s is called by the pod’s own interface', async (_, server, address, port) => {
    const leg = site.watch(site.node, site.leg())
    expect(await seen(site.pod, address, port)).toEqual({ server, client: AT.pod[family] })
    expect(leg.pairs).not.toContain(`${AT.pod[family]}>${address}`)
    expect(leg.pairs).not.toContain(`${address}>${AT.pod[family]}`)
    leg.close()
  })

  test.each([
    ['another pod behind a service', 'other', AT.otherService[family], 80],
    ['the node', 'node', AT.node[family], PORT],
    ['the node behind a service', 'node', AT.nodeService[family], 80],
    ['somebody outside', 'router', AT.outside[family], PORT],
  ] as const)('%s sees the pod’s own address', async (_, server, address, port) => {
    expect(await seen(site.pod, address, port)).toEqual({ server, client: AT.pod[family] })
  })

  test('the node, its neighbours and callers from outside reach the pod, and are seen as who they are', async () => {
    expect(await seen(site.node, AT.pod[family], PORT)).toEqual({ server: 'pod', client: AT.node[family] })
    expect(await seen(site.far, AT.pod[family], PORT)).toEqual({ server: 'pod', client: AT.far[family] })
    expect(await seen(site.far, AT.node[family], NODE_PORT)).toEqual({ server: 'pod', client: AT.far[family] })
  })
})

function unicast(pairs: ReadonlySet<string>): readonly string[] {
  return [...pairs].filter((pair) => !pair.includes('>224.')).toSorted()
}

async function seen({ nsFd }: Scratch, address: string, port: number): Promise<unknown> {
  for (let tries = 0; ; tries += 1) {
    const answer = await call(`/proc/self/fd/${nsFd}`, ip(address), port)
    if (answer !== undefined || tries === 3) return answer
  }
}
