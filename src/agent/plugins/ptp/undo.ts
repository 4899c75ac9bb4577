/**
 * Takes back what legs are made of, wherever making them was interrupted, and without the pod's namespace. Of a leg whose link went
 * with its pod the kernel keeps rules; they are known as ours, and that they lead nowhere is seen.
 * @module
 */
import { ANSWER_PRIORITY, LEG_GROUPS, LEG_NFT_TABLE, LEG_PROTOCOL } from '../../../compat/unnumbered-ptp/numbers.ts'
import { nodeTableName } from '../../../compat/unnumbered-ptp/tables.ts'
import {
  linkList,
  nftTableDel,
  type RtnlSocket,
  type Rule,
  routeDel,
  routeList,
  ruleDel,
  ruleList,
} from '../../../linux/index.ts'
import { type PodSite, removePair, type Site } from '../pair.ts'
import { quietly } from '../ways.ts'
import { legOwner } from './sides.ts'

/** Removes a leg from the node, and everything that no leg needs any more. */
export async function removeLeg(node: Site, link: string): Promise<void> {
  removeRules(node.rtnl, ({ inputLink }) => inputLink === link)
  await removePair(node, link, LEG_GROUPS)
  sweep(node)
}

/** What a leg made in a pod that goes on. That of another interface of the pod stays. */
export function undoInPod(pod: PodSite, ifname: string): void {
  const owner = legOwner(pod)
  if (owner !== undefined && owner !== ifname) return
  nftTableDel(LEG_NFT_TABLE, pod.nsFd)
  for (const route of routeList(pod.rtnl)) if (route.protocol === LEG_PROTOCOL) quietly(() => routeDel(pod.rtnl, route))
  removeRules(pod.rtnl, () => true)
}

/**
 * Removes what belongs to links that are gone, and what all legs share once there are none. Nothing else is done in between: whoever
 * makes a leg makes its link first.
 */
export function sweep({ rtnl, nsFd }: Site): void {
  const legs = new Set(linkList(rtnl).flatMap(({ name, group }) => (LEG_GROUPS.includes(group) ? [name] : [])))
  removeRules(rtnl, ({ inputLink }) => inputLink !== undefined && !legs.has(inputLink))
  if (legs.size > 0) return
  // The rules say which tables there are: they go last.
  for (const { mark } of ruleList(rtnl).filter(isAnswerRule)) nftTableDel(nodeTableName(mark ?? 0), nsFd)
  removeRules(rtnl, () => true)
}

function isAnswerRule({ protocol, priority, mark }: Rule): boolean {
  return protocol === LEG_PROTOCOL && priority === ANSWER_PRIORITY && mark !== undefined
}

function removeRules(rtnl: RtnlSocket, which: (rule: Rule) => boolean): void {
  for (const rule of ruleList(rtnl))
    if (rule.protocol === LEG_PROTOCOL && which(rule)) quietly(() => ruleDel(rtnl, rule))
}
