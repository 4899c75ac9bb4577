/**
 * The segment between two machines dies for good: their ports of its bridge part. A router on a port of its own still joins them, and
 * the machines' routes say so at once, as a routing protocol of the physical network would.
 * @module
 */
import { output } from '../../test/lab/command.ts'
import { median } from '../result.ts'
import { PingTrace } from './reach.ts'
import type { Pair } from './talk.ts'

/** One of the two. */
export interface End {
  readonly netns: string
  /** The bridge's port that its cable is in. */
  readonly port: string
  /** Of one family each. */
  readonly addresses: readonly string[]
  /** The socket of its switch in user space, which has routes of its own, and the bridge that has the machine's addresses. */
  readonly switch?: { readonly control: string; readonly bridge: string }
}

/** What joins them. */
export interface Segment {
  /** Where the bridge is. */
  readonly netns: string
  readonly ends: readonly [End, End]
  /** The router's namespace, and its addresses in the order of the machines'. */
  readonly router: { readonly netns: string; readonly addresses: readonly string[] }
}

const FORWARDS = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.conf.all.send_redirects=0']
/** In ms. So long an answer is waited for. */
const PATIENCE = 30_000

/**
 * The longest silence of a ping while it dies, in seconds, the median of the rounds; it is whole again after each, and `mended`
 * says when everything is as before. Where half a minute was not enough, what there is instead.
 */
export async function loseSegment(
  { from, address }: Pair,
  segment: Segment,
  rounds: number,
  mended: () => Promise<unknown>,
): Promise<number | string> {
  const { router } = segment
  // A redirect is of its link as well as of all.
  const links = `for link in /proc/sys/net/ipv4/conf/*; do echo 0 > $link/send_redirects; done`
  await output(['ip', 'netns', 'exec', router.netns, 'sh', '-c', `sysctl -qw ${FORWARDS.join(' ')}; ${links}`])
  const silences: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const trace = new PingTrace(from, address)
    await Bun.sleep(500)
    await output(['sh', '-c', script(segment, 'on')])
    const isBack = await trace.answerAfter(Date.now() / 1000, PATIENCE).then(
      () => true,
      () => false,
    )
    await Bun.sleep(500)
    const { longestGap } = await trace.stop()
    silences.push(longestGap)
    await output(['sh', '-c', script(segment, 'off')])
    await mended()
    if (!isBack) return `no answer within ${PATIENCE / 1000} s`
  }
  return median(silences)
}

/** The segment first; what the machines are told, together. */
function script({ netns, ends, router }: Segment, state: 'on' | 'off'): string {
  const verb = state === 'on' ? 'add' : 'del'
  const part = ends.map(({ port }) => `bridge link set dev ${port} isolated ${state}`)
  const routes = ends.flatMap((end, i) =>
    router.addresses.flatMap((via, family) => {
      const to = `${ends[1 - i]?.addresses[family]}/${via.includes(':') ? 128 : 32}`
      const kernel = `ip -n ${end.netns} route ${verb} ${to} via ${via}`
      if (end.switch === undefined) return [kernel]
      const { control, bridge } = end.switch
      // Without a gateway instead of none: with a route of a bridge the switch forgets that tunnels end at its addresses.
      const gateway = state === 'on' ? ` ${via}` : ''
      return [kernel, `ovs-appctl -t ${control} ovs/route/add ${to} ${bridge}${gateway} > /dev/null`]
    }),
  )
  // One that is not changed would show as something that the network loses.
  return `ip netns exec ${netns} sh -ec '${part.join('; ')}' || exit 1
changing=
${routes.map((route) => `{ ${route}; } & changing="$changing $!"`).join('\n')}
for one in $changing; do wait $one || exit 1; done`
}
