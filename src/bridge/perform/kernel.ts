/**
 * Changes of links, addresses, routes, rules and neighbours. Each makes sure that something is so.
 * @module
 */
import {
  addrDel,
  addrReplace,
  hasErrno,
  linkFind,
  linkGet,
  linkSet,
  neighDel,
  neighReplace,
  type RtnlSocket,
  routeAppend,
  routeWithdraw,
  rulePut,
  ruleWithdraw,
  sysctlGet,
  sysctlSet,
} from '../../linux/index.ts'
import type { Change, HeldAddress } from '../model.ts'

/** Changes of the kernel. */
export type KernelChange = Extract<
  Change,
  {
    readonly do:
      | 'link'
      | 'sysctl'
      | 'address'
      | 'no-address'
      | 'route'
      | 'no-route'
      | 'rule'
      | 'no-rule'
      | 'neighbour'
      | 'no-neighbour'
  }
>

/** Performs one. A link that is gone has nothing to be taken from; nothing can be given to it: LINUX_ENODEV. */
export function performKernel(rtnl: RtnlSocket, change: KernelChange): void {
  switch (change.do) {
    case 'link': {
      const { link, up, addrGenMode } = change
      linkSet(rtnl, link, {
        ...(up === undefined ? {} : { up }),
        ...(addrGenMode === undefined ? {} : { addrGenMode }),
      })
      return
    }
    case 'sysctl':
      setSysctl(change)
      return
    case 'address':
      addrReplace(
        rtnl,
        addressSpec(linkGet(rtnl, change.link).index, change.link, change.address, change.quiet === true),
      )
      return
    case 'no-address': {
      const { address, peer } = change
      taking(rtnl, change.link, ['EADDRNOTAVAIL'], (link) =>
        addrDel(rtnl, { link, address, ...(peer === undefined ? {} : { peer }) }),
      )
      return
    }
    case 'route':
      unless(['EEXIST'], () => routeAppend(rtnl, bytes(change.body), change.was, linkGet(rtnl, change.link).index))
      return
    case 'no-route':
      taking(rtnl, change.link, ['ESRCH'], (link) => routeWithdraw(rtnl, bytes(change.body), change.was, link))
      return
    case 'rule':
      unless(['EEXIST'], () => rulePut(rtnl, bytes(change.body), change.was, change.link))
      return
    case 'no-rule':
      unless(['ENOENT'], () => ruleWithdraw(rtnl, bytes(change.body), change.was, change.link))
      return
    case 'neighbour': {
      const { address, mac, proxy, permanent } = change.neighbour
      const link = linkGet(rtnl, change.link).index
      const state = permanent ? 'permanent' : 'stale'
      neighReplace(rtnl, { link, address, proxy, state, ...(mac === undefined ? {} : { mac }) })
      return
    }
    case 'no-neighbour': {
      const { address, proxy } = change
      taking(rtnl, change.link, ['ENOENT'], (link) => neighDel(rtnl, { link, address, proxy }))
      return
    }
  }
}

/** The address was in use a moment ago: it is checked by nobody again. */
function addressSpec(link: number, name: string, held: HeldAddress, quiet: boolean) {
  const { address, peer, broadcast, scope, metric, validLifetime, preferredLifetime } = held
  const label = held.label?.replace(/^[^:]*/, name)
  return {
    link,
    address,
    scope,
    nodad: held.family === 6,
    noprefixroute: held.noprefixroute || (quiet && held.family === 6),
    ...(peer === undefined ? {} : { peer }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(label === undefined || label.length > LABEL_MAX ? {} : { label }),
    ...(metric === undefined ? {} : { metric }),
    ...(validLifetime === undefined ? {} : { validLifetime }),
    ...(preferredLifetime === undefined ? {} : { preferredLifetime }),
  }
}

const LABEL_MAX = 15

function setSysctl({ link, key, value }: Extract<Change, { readonly do: 'sysctl' }>): void {
  const [family = '', name = ''] = key.split('/')
  const path = ['net', family, 'conf', link, name]
  unless(['ENOENT'], () => {
    // Some are not written without a consequence, such as forwarding.
    if (sysctlGet(path) !== value) sysctlSet(path, value)
  })
}

function taking(rtnl: RtnlSocket, name: string, fine: readonly string[], take: (link: number) => void): void {
  const link = linkFind(rtnl, name)
  if (link !== undefined) unless([...fine, 'ENODEV'], () => take(link.index))
}

function unless(fine: readonly string[], action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!hasErrno(error, ...fine)) throw error
  }
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}
