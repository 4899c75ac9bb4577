/**
 * Weft under the names `ipam-neutron` and `cni-ipam-neutron`: gives out addresses of Neutron's networks, without an agent.
 * @module
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { cniError, errorAnswer, MAX_INPUT } from '../../cni/index.ts'
import { machineId } from '../../files/machine-id.ts'
import { serveIpam } from './serve.ts'

/** Serves the call of this process. Never throws; resolves to the exit code. */
export async function runIpamNeutron(): Promise<number> {
  if ((process.env['CNI_COMMAND'] ?? '') === '') {
    process.stderr.write('CNI plugin of Weft: gives out addresses of OpenStack Neutron. Container runtimes call it.\n')
    return 0
  }
  const ending = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => ending.abort())
  const input = readInput()
  if (input === undefined) {
    process.stdout.write(`${JSON.stringify(errorAnswer(cniError('input-unreadable')))}\n`)
    return 1
  }
  const { output, status } = await serveIpam(
    { environment: process.env, input },
    {
      signal: ending.signal,
      node: hostname(),
      machine: machineId(),
      readFile: (path) => readFileSync(path, 'utf8'),
      // Runtimes show it where the call fails, people see it at once.
      warn: (sentence) => void process.stderr.write(`ipam-neutron: ${sentence}\n`),
    },
  )
  process.stdout.write(output)
  return status
}

/** Standard input; undefined where it cannot be read. */
function readInput(): Uint8Array | undefined {
  try {
    return readFileSync(0).subarray(0, MAX_INPUT + 1)
  } catch {
    return undefined
  }
}
