/**
 * The one executable: agent, controller, registry, playground and command line; under the names of other projects' programs
 * those.
 * @module
 */
import { runMkDockerOpts } from './cli/flanneld/mk-docker-opts.ts'
import { runFlannelPlugin } from './cli/flanneld/plugin.ts'
import { runFlanneldProgram, runFlanneldStart } from './cli/flanneld/program.ts'
import { runIpamNeutron } from './cli/ipam-neutron/program.ts'
import { runK8sOvs } from './cli/k8s-ovs/program.ts'
import { runUnderlayPlugin, runUnderlayScript } from './cli/ovn-underlay/plugin.ts'
import { runProgram } from './cli/program.ts'

const PROGRAMS: ReadonlyMap<string, (words: readonly string[]) => Promise<number>> = new Map([
  ['k8s-ovs', runK8sOvs],
  ['flanneld', runFlanneldProgram],
  ['flanneld-start', runFlanneldStart],
  ['mk-docker-opts.sh', runMkDockerOpts],
  ['flannel', runFlannelPlugin],
  ['ovn-underlay', runUnderlayPlugin],
  ['ovn', runUnderlayPlugin],
  ['ovn-k8-underlay.py', runUnderlayScript],
  ['ipam-neutron', runIpamNeutron],
  ['cni-ipam-neutron', runIpamNeutron],
])

const run = PROGRAMS.get(process.argv0.replace(/^.*\//, '')) ?? runProgram

// No top-level await: the executable is compiled to bytecode, which has none.
run(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
