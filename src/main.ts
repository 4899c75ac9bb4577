/**
 * The one executable: agent, controller, registry, playground and command line; under the name `k8s-ovs` that program.
 * @module
 */
import { runK8sOvs } from './cli/k8s-ovs/program.ts'
import { runProgram } from './cli/program.ts'

const run = /(^|\/)k8s-ovs$/.test(process.argv0) ? runK8sOvs : runProgram

// No top-level await: the executable is compiled to bytecode, which has none.
run(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
