import { expect, test } from 'bun:test'
import { linkAdd, linkFind } from '../../linux/index.ts'
import { type Scratch, scratch } from '../../linux/testing/scratch.ts'
import { ENDPOINT_GROUP } from '../../network/host.ts'
import { EndpointLinks } from './endpoint-links.ts'

const LINK = 'weft0123456789a'

/** A veth pair of ours in a namespace of its own. */
function stage(): Scratch {
  const place = scratch()
  linkAdd(place.rtnl, { kind: 'veth', name: LINK, group: ENDPOINT_GROUP, peer: { name: 'inside' } })
  return place
}

test('a sweep that nobody waits for deletes what is doomed, and tells', async () => {
  using place = stage()
  const swept = Promise.withResolvers<unknown>()
  using links = new EndpointLinks(place.rtnl, 'netdev', swept.resolve)
  links.doom(LINK)
  expect(await swept.promise).toBeUndefined()
  expect(linkFind(place.rtnl, LINK)).toBeUndefined()
})

test('a netlink error in a sweep does not end the agent', async () => {
  using place = stage()
  const swept = Promise.withResolvers<{ readonly error: unknown } | undefined>()
  using links = new EndpointLinks(place.rtnl, 'netdev', swept.resolve)
  links.doom(LINK)
  place.rtnl.close()
  expect((await swept.promise)?.error).toMatchObject({ code: 'LINUX_EBADF' })
})

test('an agent that stopped sweeps no more, whatever is doomed yet', async () => {
  using place = stage()
  const swept: unknown[] = []
  const links = new EndpointLinks(place.rtnl, 'netdev', (failure) => swept.push(failure))
  links.doom(LINK)
  links[Symbol.dispose]()
  links.doom(LINK)
  const later = Promise.withResolvers<void>()
  // Begun after the sweep's own pause, which is as long: it is over first.
  using after = new EndpointLinks(place.rtnl, 'netdev', () => later.resolve())
  after.doom(LINK)
  await later.promise
  expect(swept).toEqual([])
})
