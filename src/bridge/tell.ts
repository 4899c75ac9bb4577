/**
 * Plans as sentences, and as JSON for programs. Contents of files are in neither: they may hold what is nobody's business.
 * @module
 */
import type { Change, Plan, Step } from './model.ts'

/** What would be done, a line each. */
export function sentencesOf(plan: Plan | undefined): readonly string[] {
  if (plan === undefined) return []
  const guarded = plan.steps.flatMap((step, index) => linesOf(step, index + 1))
  const asked = plan.gateways.map(({ address }) => address).join(' and ')
  const check =
    plan.steps.length === 0
      ? []
      : [
          asked === ''
            ? 'No gateway has to answer: only a command that dies is taken back.'
            : `Then there has to be an answer of ${asked} on ${plan.target} within 10 s, else all of it is put back.`,
        ]
  const rest = plan.afterwards.flatMap((step, index) => linesOf(step, plan.steps.length + index + 1))
  return [...guarded, ...check, ...rest, ...plan.notes.map((note) => `Mind: ${note}.`)]
}

/** The same for programs. */
export function toJson({ steps, settle, afterwards, gateways, notes }: Plan): object {
  const shown = ({ title, changes }: Step): object => ({ title, changes: changes.map(lineOf) })
  return { steps: [...steps, ...settle].map(shown), afterwards: afterwards.map(shown), gateways, notes }
}

function linesOf({ title, changes }: Step, number: number): readonly string[] {
  return [`${number}. ${title}`, ...changes.map((change) => `   ${lineOf(change)}`)]
}

/** A change as the command that people would type for it. */
function lineOf(change: Change): string {
  switch (change.do) {
    case 'bridge': {
      const { name, datapathType, mac, mtu } = change.bridge
      return `ovs-vsctl add-br ${name} (${datapathType}, MAC address ${mac}, MTU ${mtu})`
    }
    case 'no-bridge':
      return `ovs-vsctl del-br ${change.name}`
    case 'ids':
      return `ovs-vsctl set ${change.table} ${change.name} ${Object.entries(change.ids)
        .map(([key, value]) => `external_ids:${key}=${value}`)
        .join(' ')}`
    case 'port':
      return `ovs-vsctl add-port ${change.bridge} ${change.name}${change.trunks.length === 0 ? '' : ` trunks=${change.trunks.join(',')}`}`
    case 'no-port':
      return `ovs-vsctl del-port ${change.bridge} ${change.name}`
    case 'link': {
      const { link, up, addrGenMode } = change
      const parts = [
        up === undefined ? [] : [up ? 'up' : 'down'],
        addrGenMode === undefined ? [] : ['addrgenmode', addrGenMode],
      ]
      return `ip link set ${link} ${parts.flat().join(' ')}`
    }
    case 'new-link': {
      const { made } = change
      const of =
        made.kind === 'bridge' ? `address ${made.mac} type bridge ageing_time 0` : `type veth peer name ${made.peer}`
      return `ip link add ${made.name} mtu ${made.mtu} ${of}`
    }
    case 'no-link':
      return `ip link del ${change.link}`
    case 'member':
      return `ip link set ${change.link} master ${change.master}`
    case 'no-member':
      return `ip link set ${change.link} nomaster`
    case 'sysctl':
      return `sysctl -w net/${change.key.replace('/', `/conf/${change.link}/`)}=${change.value}`
    case 'address':
      return `ip address replace ${change.address.address} dev ${change.link}${change.quiet === true && change.address.family === 6 ? ' noprefixroute' : ''}`
    case 'no-address':
      return `ip address del ${change.address} dev ${change.link}`
    case 'route':
      return `ip route append ${change.text} dev ${change.link}`
    case 'no-route':
      return `ip route del ${change.text} dev ${change.link}`
    case 'rule':
      return `ip rule add ${change.text}`
    case 'no-rule':
      return `ip rule del ${change.text}`
    case 'neighbour':
      return `ip neighbour replace ${change.neighbour.address} dev ${change.link}`
    case 'no-neighbour':
      return `ip neighbour del ${change.address} dev ${change.link}`
    case 'file':
      return `write ${change.path}${change.backup === undefined ? '' : ` (the former one is kept as ${change.backup})`}`
    case 'no-file':
      return change.backup === undefined ? `remove ${change.path}` : `put ${change.path} back as it was`
    case 'run':
      return change.argv.join(' ')
  }
}
