/**
 * Checks: Open vSwitch, and the agent on it.
 * @module
 */
import { type Check, fail, ok, unknown, warn } from '../check.ts'

/** Open vSwitch forgets tracked connections on request from this version on. */
const WANTED = [3, 1] as const
const OLDEST = [2, 17] as const

const ovsdb: Check = {
  id: 'ovsdb',
  look: ({ ovsdb: read }) => {
    if (!read.ok)
      return fail(read.reason, 'start Open vSwitch (systemctl start openvswitch-switch), or name its socket: --ovsdb')
    const { version } = read.value
    if (version === '') return ok('ovsdb-server answers; it does not know its version')
    if (isOlder(version, OLDEST))
      return fail(`Open vSwitch ${version} is older than ${OLDEST.join('.')}`, `install ${WANTED.join('.')} or later`)
    if (isOlder(version, WANTED)) {
      return warn(
        `Open vSwitch ${version}: UDP clients of services stay with endpoints that are gone`,
        `install ${WANTED.join('.')} or later`,
      )
    }
    return ok(`ovsdb-server answers, Open vSwitch ${version}`)
  },
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, a = '0', b = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? []
  return Number(a) < major || (Number(a) === major && Number(b) < minor)
}

const vswitchd: Check = {
  id: 'vswitchd',
  look: ({ vswitchd: read }) =>
    read.ok
      ? ok('ovs-vswitchd answers')
      : fail(read.reason, 'start Open vSwitch (systemctl start openvswitch-switch), or name its folder: --ovs-run-dir'),
}

const datapath: Check = {
  id: 'datapath',
  look: ({ ovsdb: read, modules }, { datapath: wanted }) => {
    if (!read.ok) return unknown('ovsdb-server does not answer', 'see the check ovsdb')
    const { datapathTypes: types } = read.value
    const kernel = modules.ok && (modules.value.loaded.has('openvswitch') || modules.value.known.has('openvswitch'))
    if (types.length > 0 && !types.includes(wanted)) {
      const other = wanted === 'system' ? 'netdev' : 'system'
      return fail(`this Open vSwitch has no ${wanted} datapath`, `run the agent with --datapath ${other}`)
    }
    if (wanted === 'netdev' && kernel) {
      return warn(
        'the agent uses the userspace datapath, and this kernel has Open vSwitch’s module',
        'run the agent with --datapath system: it is faster, and goes on when ovs-vswitchd stops',
      )
    }
    return ok(wanted === 'system' ? 'the kernel’s datapath' : 'the userspace datapath')
  },
}

const agent: Check = {
  id: 'agent',
  look: (_facts, { agent: told }) => {
    if (told.state === 'none') return warn(told.reason, 'start it: weft agent')
    const [problem] = told.problems
    if (!told.ready) return fail(`the agent is not ready: ${told.problems.join('; ')}`, 'see weft status')
    return problem === undefined ? ok('the agent is ready') : warn(told.problems.join('; '), 'see weft status')
  },
}

export const SWITCH_CHECKS: readonly Check[] = [ovsdb, vswitchd, datapath, agent]
