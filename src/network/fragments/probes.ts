/**
 * Probes of the tunnel: a node asks another whether packets reach it, and the other's switch sends the question back as the
 * answer, whether or not its agent lives. No port of a pod leads to these rows, and none of them leads to a pod.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { familyOf, type Ip, ip } from '../model/address.ts'
import { tellProbe } from '../pipeline/answers.ts'
import { type FlowMaker, goto } from '../pipeline/build.ts'
import { PROBE, PROBE_ETHERTYPE } from '../pipeline/stages.ts'

/** Only who has a tunnel end of ours is answered, and there: nobody can have us send to a third. */
export function probesFrom({ flow }: FlowMaker, end: Ip, sentFrom: Match): Flow {
  const back: readonly Action[] =
    familyOf(end) === 4
      ? [{ op: 'set', field: 'tun_dst', value: end }]
      : // Else the answer would leave with the other's address: of IPv6 tunnels the source is taken from here.
        [
          { op: 'set', field: 'tun_ipv6_src', value: ip('::') },
          { op: 'set', field: 'tun_ipv6_dst', value: end },
        ]
  return flow('tunnel', 210, { ...sentFrom, eth_type: PROBE_ETHERTYPE }, [...back, goto('probe')])
}

/** What becomes of a probe of a known machine. */
export function probeStage({ flow, drop, dropWith }: FlowMaker): Flow[] {
  return [
    flow('probe', 100, { eth_dst: PROBE.question }, [
      { op: 'set', field: 'eth_dst', value: PROBE.answer },
      { op: 'output', port: 'in_port' },
    ]),
    dropWith('probe', 100, { eth_dst: PROBE.answer }, [tellProbe]),
    drop('probe', 0, {}),
  ]
}
