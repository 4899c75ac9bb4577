/**
 * Weft under the names `ovn-underlay` and `ovn` in a folder of CNI plugins, and under `ovn-k8-underlay.py`. It needs no agent.
 * @module
 */
import { readFileSync } from 'node:fs'
import { errorAnswer, parseRequest, requestedVersion, toCniError } from '../../cni/index.ts'
import { servePods } from '../../underlay/pods/serve.ts'
import { defaultSocket } from '../ovsdb-socket.ts'
import { runProgram } from '../program.ts'

/** The script's own command line. Never throws; resolves to the exit code. */
export function runUnderlayScript(words: readonly string[]): Promise<number> {
  return runProgram(['ovn-underlay', ...words])
}

/**
 * Serves one call by environment and standard input; without a command in the environment it is a kubelet's old call. Never
 * throws; resolves to the exit code.
 */
export async function runUnderlayPlugin(words: readonly string[]): Promise<number> {
  if (words.length > 0 && process.env['CNI_COMMAND'] === undefined) return runUnderlayScript(words)
  const input = readFileSync(0)
  try {
    process.stdout.write(await servePods(parseRequest(process.env, input), defaultSocket()))
    return 0
  } catch (error) {
    process.stdout.write(`${JSON.stringify(errorAnswer(toCniError(error), requestedVersion(input)))}\n`)
    return 1
  }
}
