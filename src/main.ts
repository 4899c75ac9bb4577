/**
 * The one executable: agent, controller, registry, playground and command line.
 * @module
 */
import { runProgram } from './cli/program.ts'

// No top-level await: the executable is compiled to bytecode, which has none.
runProgram(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
