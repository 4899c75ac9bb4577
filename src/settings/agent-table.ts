/**
 * The settings of the agent alone.
 * @module
 */
import { fileName, oneOf, path, setting, wholeNumber, words, yesOrNo } from './setting.ts'

const AGENT = ['agent'] as const

/** How many seconds a day has: nothing is worth waiting for longer. */
const DAY = 86_400

/** Key → setting, for {@link SETTINGS} of `table.ts`. */
export const AGENT_SETTINGS = {
  'agent.node': setting({
    type: words('a node’s name', /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/),
    otherwise: 'the machine’s host name, in lower case',
    example: 'node1',
    description: 'This node’s name in the registry. Agents that share one file are told by the option instead',
    programs: AGENT,
    applied: 'restart',
    flag: 'node',
  }),
  'agent.ovsdb': setting({
    type: path,
    default: '/run/openvswitch/db.sock',
    description: 'Socket of ovsdb-server',
    programs: AGENT,
    applied: 'restart',
    flag: 'ovsdb',
  }),
  'agent.ovsRunDir': setting({
    type: path,
    default: '/run/openvswitch',
    description: 'Folder of the bridges’ OpenFlow sockets',
    programs: AGENT,
    applied: 'restart',
    flag: 'ovs-run-dir',
  }),
  'agent.runDir': setting({
    type: path,
    default: '/run/weft',
    description: 'Folder for the agent’s own sockets',
    programs: AGENT,
    applied: 'restart',
    flag: 'run-dir',
  }),
  'agent.stateDir': setting({
    type: path,
    default: '/var/lib/weft',
    description: 'Folder for what must outlive a restart of the machine: which networks a pod was attached to',
    programs: AGENT,
    applied: 'restart',
    flag: 'state-dir',
  }),
  'agent.datapath': setting({
    type: oneOf('system', 'netdev'),
    default: 'system',
    description: 'The kernel’s datapath (`system`), or the userspace one (`netdev`)',
    programs: AGENT,
    applied: 'restart',
    flag: 'datapath',
  }),
  'agent.addressRest': setting({
    type: wholeNumber(0, DAY),
    default: 60,
    unit: 'seconds',
    description: 'How long a freed address rests before it is given out again',
    programs: AGENT,
    applied: 'restart',
    flag: 'address-rest',
  }),
  'agent.resync': setting({
    type: wholeNumber(5, DAY),
    default: 60,
    unit: 'seconds',
    description: 'How often the switch is compared with the plan when nothing happens',
    programs: AGENT,
    applied: 'restart',
    flag: 'resync',
  }),
  'agent.resolvConf': setting({
    type: path,
    default: '/etc/resolv.conf',
    description: 'Names the DNS servers that are asked for the DNS names in policies',
    programs: AGENT,
    applied: 'restart',
    flag: 'resolv-conf',
  }),
  'agent.uplinkMbit': setting({
    type: wholeNumber(1, 10_000_000),
    otherwise: 'pods take what they get',
    example: 10_000,
    description:
      "The uplink's rate in Mbit/s: pods share it fairly. It takes the place of the uplink's own queues; the kernel's datapath only",
    programs: AGENT,
    applied: 'restart',
    flag: 'uplink-mbit',
  }),
  'agent.external': setting({
    type: yesOrNo,
    default: false,
    description: 'This host is outside the cluster: it reaches pods and has none',
    programs: AGENT,
    applied: 'restart',
    flag: 'external',
  }),
  'agent.cniBinDir': setting({
    type: path,
    otherwise: 'the plugin is not installed, and portmap looked for in /opt/cni/bin',
    example: '/opt/cni/bin',
    description:
      'Folder in which the container runtime looks for plugins: the agent installs its own there, and has portmap called if it is there (hostPort of pods)',
    programs: AGENT,
    applied: 'restart',
    flag: 'cni-bin-dir',
  }),
  'agent.cniConfigDir': setting({
    type: path,
    otherwise: 'no configuration is written',
    example: '/etc/cni/net.d',
    description:
      'Folder in which the container runtime looks for network configurations: the agent writes one there once pods can be attached',
    programs: AGENT,
    applied: 'restart',
    flag: 'cni-config-dir',
  }),
  'agent.cniConfigName': setting({
    type: fileName,
    default: '10-weft.conflist',
    description: 'Name of that configuration’s file; runtimes take the first in order',
    programs: AGENT,
    applied: 'restart',
    flag: 'cni-config-name',
  }),
} as const
