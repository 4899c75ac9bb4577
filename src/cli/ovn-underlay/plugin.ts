/**
 * Weft under the names `ovn-underlay` and `ovn` in a folder of CNI plugins. It needs no agent.
 * @module
 */
import { readFileSync } from 'node:fs'
import { errorAnswer, parseRequest, requestedVersion, toCniError } from '../../cni/index.ts'
import { servePods } from '../../underlay/pods/serve.ts'
import { defaultSocket } from '../ovsdb-socket.ts'

/** Serves one call by environment and standard input. Never throws; resolves to the exit code. */
export async function runUnderlayPlugin(): Promise<number> {
  const input = readFileSync(0)
  try {
    process.stdout.write(await servePods(parseRequest(process.env, input), defaultSocket()))
    return 0
  } catch (error) {
    process.stdout.write(`${JSON.stringify(errorAnswer(toCniError(error), requestedVersion(input)))}\n`)
    return 1
  }
}
