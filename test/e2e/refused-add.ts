/**
 * What an ADD that is refused leaves behind: nothing, and no address less. Each step is named after the defect it keeps
 * away.
 * @module
 */
import { deepEqual, equal, match } from 'node:assert/strict'
import { addrDel, addrList, linkAdd, linkGet, linkSet, openRtnl } from '../../src/linux/index.ts'
import { Container, errorOf } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

export const refusedAdd: Scenario = {
  name: 'refused-add',
  lab: { nodes: 1 },
  steps: [
    { title: 'an MTU that does not fit takes no address and no port number', run: tooLarge },
    { title: 'malformed name servers are refused before anything is attached', run: malformedDns },
    { title: 'a repeated ADD answers what stands, not what is asked', run: repeated },
    { title: 'CHECK compares all that the runtime believes', run: beliefs },
    { title: 'an interface of somebody else is named, whoever was there before', run: foreignInterface },
    { title: 'another container takes a namespace over at once', run: takeover },
  ],
}

async function tooLarge(context: StepContext): Promise<void> {
  const container = new Container(context.lab, 'mtu').create()
  const before = await state(context)
  try {
    for (let n = 0; n < 12; n += 1) {
      const { code, msg } = errorOf(await container.call('ADD', { mtu: 9000 }))
      equal(code, 7)
      match(msg, /mtu/)
    }
    deepEqual(await state(context), before)
  } finally {
    container.remove()
  }
}

async function malformedDns(context: StepContext): Promise<void> {
  const container = new Container(context.lab, 'dns').create()
  const before = await state(context)
  try {
    errorOf(await container.call('ADD', { dns: 5 }))
    deepEqual(await state(context), before)
    await container.add()
    await container.del()
  } finally {
    container.remove()
  }
}

async function repeated({ lab }: StepContext): Promise<void> {
  const container = new Container(lab, 'again').create()
  try {
    const first = await container.add({ mtu: 1400 })
    deepEqual(await container.add({ mtu: 1300 }), first)
    await container.del()
  } finally {
    container.remove()
  }
}

async function beliefs({ lab }: StepContext): Promise<void> {
  const container = new Container(lab, 'beliefs').create()
  try {
    const result = (await container.add()) as {
      readonly interfaces: readonly { readonly name: string }[]
      readonly ips: readonly object[]
    }
    const check = (change: object) => container.call('CHECK', { prevResult: { ...result, ...change } })
    const [host, pod] = result.interfaces
    equal((await check({})).code, 0)
    for (const change of [{ mac: '02:00:00:00:00:09' }, { name: 'eth9' }, { mtu: 1280 }]) {
      equal(errorOf(await check({ interfaces: [host, { ...pod, ...change }] })).code, 120)
    }
    equal(errorOf(await check({ ips: [{ ...result.ips[0], gateway: '10.0.0.99' }, ...result.ips.slice(1)] })).code, 120)
    equal(errorOf(await check({ routes: [] })).code, 120)
    using rtnl = openRtnl({ nsFd: lab.fd(container.netns) })
    linkSet(rtnl, 'eth0', { mtu: 1300 })
    match(errorOf(await check({})).msg, /MTU 1300/)
    linkSet(rtnl, 'eth0', { mtu: 1450 })
    const { index } = linkGet(rtnl, 'eth0')
    const [address] = addrList(rtnl, { link: index, family: 4 })
    addrDel(rtnl, { link: index, address: address?.address ?? '' })
    match(errorOf(await check({})).msg, /has lost address/)
    await container.del()
  } finally {
    container.remove()
  }
}

async function foreignInterface({ lab }: StepContext): Promise<void> {
  const container = new Container(lab, 'foreign').create()
  try {
    await container.add()
    await container.del()
    using rtnl = openRtnl({ nsFd: lab.fd(container.netns) })
    linkSet(rtnl, linkGet(rtnl, 'eth0').index, { name: 'old0' })
    linkAdd(rtnl, { kind: 'veth', name: 'eth0', peer: { name: 'other0' } })
    const { code, msg } = errorOf(await container.call('ADD'))
    equal(code, 102)
    match(msg, /eth0/)
  } finally {
    container.remove()
  }
}

async function takeover(context: StepContext): Promise<void> {
  const { lab } = context
  const first = new Container(lab, 'first').create()
  const before = await state(context)
  try {
    await first.add()
    await first.del()
    const env = { CNI_CONTAINERID: `${first.id}-next` }
    equal((await first.call('ADD', {}, env)).code, 0)
    equal((await first.call('DEL', {}, env)).code, 0)
    deepEqual((await state(context)).leases, before.leases)
  } finally {
    first.remove()
  }
}

/** Everything an ADD could leave behind. */
async function state({ lab }: StepContext): Promise<{ readonly leases: number; readonly used: readonly string[] }> {
  const [{ leases }, { ranges }] = await Promise.all([lab.inventory(1), lab.agent(1).status()])
  // Released addresses rest, so they are neither used nor free.
  return { leases, used: ranges.map(({ used }) => used) }
}

if (import.meta.main) await runScenario(refusedAdd)
