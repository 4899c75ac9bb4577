/**
 * Weft under the names `ipam-neutron` and `cni-ipam-neutron`: gives out addresses of Neutron's networks, without an agent.
 * @module
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { cniError, errorAnswer, MAX_INPUT } from '../../cni/index.ts'
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

/**
 * What tells machines apart that have the same name: what the firmware says (for a machine of OpenStack it is the server's
 * ID), which a container sees too; else what systemd made at the first start.
 */
function machineId(): string {
  for (const path of ['/sys/class/dmi/id/product_uuid', '/etc/machine-id']) {
    try {
      const id = readFileSync(path, 'utf8').trim().toLowerCase()
      if (/^[0-9a-f-]{32,36}$/.test(id) && /[1-9a-e]/.test(id)) return id
    } catch {
      // The next one may be there.
    }
  }
  return ''
}
