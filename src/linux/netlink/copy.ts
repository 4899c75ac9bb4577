/**
 * Routes and rules taken as the kernel told them and put again for another link, as ip-route(8)'s `save` and `restore`
 * do: with every attribute they have, known here or not.
 * @module
 */
import type { Family } from '../ip.ts'
import { AF_INET, AF_INET6 } from '../sockaddr.ts'
import * as c from './constants.ts'
import { readAttributeList, readAttributes, viewOf } from './reader.ts'
import { NextHopFlag, Rta } from './route-constants.ts'
import { decodeRoute, type Route } from './route-decode.ts'
import type { RtnlSocket } from './rtnl-socket.ts'
import { decodeRule, type Rule } from './rule.ts'
import { MessageWriter } from './writer.ts'

/** What the kernel told: the body of its message, and what is read from it. */
export interface Told<T> {
  readonly body: Uint8Array
  readonly object: T
}

/** Every route of both families and all tables, without cached exceptions. */
export function routesTold(rtnl: RtnlSocket): readonly Told<Route>[] {
  return bodiesOf(rtnl, 0, c.RTM_GETROUTE, c.RTM_NEWROUTE).map((body) => ({ body, object: decodeRoute(body) }))
}

/** Every rule of both families. */
export function rulesTold(rtnl: RtnlSocket): readonly Told<Rule>[] {
  return [AF_INET, AF_INET6]
    .flatMap((family) => bodiesOf(rtnl, family, c.RTM_GETRULE, c.RTM_NEWRULE))
    .map((body) => ({ body, object: decodeRule(body) }))
}

/** Whether a route goes by a nexthop object (ip-nexthop(8)): that one names the link, the route does not. */
export function hasNexthopObject(body: Uint8Array): boolean {
  return readAttributes(body, HEADER).has(RTA_NH_ID)
}

/**
 * Adds a route behind those of its destination, table and priority, out of another link. The one in front keeps the
 * traffic until it goes. Throws LINUX_EEXIST when the very same is there.
 */
export function routeAppend(rtnl: RtnlSocket, body: Uint8Array, from: number, to: number): void {
  const flags = c.NLM_F_CREATE | c.NLM_F_APPEND
  const moved = routeFor(body, from, to)
  rtnl.request({ type: c.RTM_NEWROUTE, flags, about: aboutRoute(body), fill: (w) => w.bytes(moved) })
}

/** Removes the route that {@link routeAppend} would have made. Throws LINUX_ESRCH when there is none. */
export function routeWithdraw(rtnl: RtnlSocket, body: Uint8Array, from: number, to: number): void {
  const moved = routeFor(body, from, to)
  rtnl.request({ type: c.RTM_DELROUTE, about: aboutRoute(body), fill: (w) => w.bytes(moved) })
}

/** Adds a rule for another link. Throws LINUX_EEXIST when it is there. */
export function rulePut(rtnl: RtnlSocket, body: Uint8Array, from: string, to: string): void {
  const flags = c.NLM_F_CREATE | c.NLM_F_EXCL
  const moved = ruleFor(body, from, to)
  rtnl.request({ type: c.RTM_NEWRULE, flags, about: `the rule for ${to}`, fill: (w) => w.bytes(moved) })
}

/** Removes the rule that {@link rulePut} would have made. Throws LINUX_ENOENT when there is none. */
export function ruleWithdraw(rtnl: RtnlSocket, body: Uint8Array, from: string, to: string): void {
  const moved = ruleFor(body, from, to)
  rtnl.request({ type: c.RTM_DELRULE, about: `the rule for ${to}`, fill: (w) => w.bytes(moved) })
}

/** Which family the body is of. */
export function familyTold(body: Uint8Array): Family {
  return body[0] === AF_INET6 ? 6 : 4
}

/** The body of a route with one link in the place of another, fit to be sent. */
export function routeFor(body: Uint8Array, from: number, to: number): Uint8Array {
  const writer = new MessageWriter(body.length + 16)
  const header = body.slice(0, HEADER)
  const view = viewOf(header)
  // The rest of the flags is state: dead, without a carrier, offloaded.
  view.setUint32(8, view.getUint32(8, true) & NextHopFlag.ONLINK, true)
  writer.bytes(header)
  for (const { type, value } of readAttributeList(body.subarray(HEADER))) {
    if (type === RTA_CACHEINFO) writer.u32(RTA_EXPIRES, expiryIn(value))
    else if (type === Rta.OIF) writer.u32(type, replaced(viewOf(value).getUint32(0, true), from, to))
    else if (type === Rta.MULTIPATH) writer.raw(type, hopsFor(value, from, to))
    else writer.raw(type, value)
  }
  return writer.finish()
}

function ruleFor(body: Uint8Array, from: string, to: string): Uint8Array {
  const writer = new MessageWriter(body.length + 16)
  const header = body.slice(0, HEADER)
  const view = viewOf(header)
  view.setUint32(8, view.getUint32(8, true) & FIB_RULE_INVERT, true)
  writer.bytes(header)
  for (const { type, value } of readAttributeList(body.subarray(HEADER))) {
    const isName = type === FRA_IIFNAME || type === FRA_OIFNAME
    if (isName && textIn(value) === from) writer.text(type, to)
    else writer.raw(type, value)
  }
  return writer.finish()
}

function textIn(value: Uint8Array): string {
  return new TextDecoder().decode(value).replace(/\0.*$/s, '')
}

/** struct rtnexthop, one after the other: length, flags, weight, link. */
function hopsFor(value: Uint8Array, from: number, to: number): Uint8Array {
  const hops = value.slice()
  const view = viewOf(hops)
  for (let at = 0; at + 8 <= hops.length; ) {
    const length = view.getUint16(at, true)
    if (length < 8 || at + length > hops.length) break
    view.setUint8(at + 2, view.getUint8(at + 2) & NextHopFlag.ONLINK)
    view.setInt32(at + 4, replaced(view.getInt32(at + 4, true), from, to), true)
    at += (length + 3) & ~3
  }
  return hops
}

/** struct rta_cacheinfo: its third word is the time left in hundredths of a second, 0 for ever. */
function expiryIn(value: Uint8Array): number | undefined {
  const hundredths = value.length < 12 ? 0 : viewOf(value).getInt32(8, true)
  return hundredths <= 0 ? undefined : Math.ceil(hundredths / 100)
}

function replaced(link: number, from: number, to: number): number {
  return link === from ? to : link
}

function bodiesOf(rtnl: RtnlSocket, family: number, ask: number, answer: number): readonly Uint8Array[] {
  // struct rtmsg and struct fib_rule_hdr both begin with the family.
  const messages = rtnl.dump({ type: ask, fill: (w) => w.word(family).word(0).word(0) })
  return messages.filter(({ type }) => type === answer).map(({ body }) => body.slice())
}

function aboutRoute(body: Uint8Array): string {
  const { destination, gateway } = decodeRoute(body)
  return `${destination}${gateway === undefined ? '' : ` via ${gateway}`}`
}

/** Bytes of struct rtmsg and of struct fib_rule_hdr. */
const HEADER = 12
const RTA_CACHEINFO = 12
const RTA_EXPIRES = 23
const RTA_NH_ID = 30
const FRA_IIFNAME = 3
const FRA_OIFNAME = 17
const FIB_RULE_INVERT = 2
