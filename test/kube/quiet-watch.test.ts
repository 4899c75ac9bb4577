/**
 * A watch on which nothing happens for long still delivers. By default a few seconds in which every limit of a watch is
 * passed several times; with WEFT_QUIET_MINUTES=15, a real quarter of an hour with the limits as they are.
 */
import { expect, test } from 'bun:test'
import { KubeClient } from '../../src/kube/client.ts'
import { reflectResource } from '../../src/kube/reflector.ts'
import { LEASES } from '../../src/kube/resources.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const MINUTES = Number(process.env['WEFT_QUIET_MINUTES'] ?? 0)
const QUIET_MS = MINUTES > 0 ? MINUTES * 60_000 : 6_000
const LIMITS = MINUTES > 0 ? {} : { silence: 700, watchSeconds: { least: 2, most: 3 } }

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  test(`a watch left quiet for ${QUIET_MS / 1000} s still delivers`, () => staysAwake(ASSETS), QUIET_MS + 60_000)
}

async function staysAwake(assets: string | undefined): Promise<void> {
  const plane = await ControlPlane.start(assets ?? '')
  const client = new KubeClient(plane.config(), LIMITS)
  const aborter = new AbortController()
  const errors: unknown[] = []
  const { store, synced, done } = reflectResource(
    client,
    LEASES,
    { namespace: 'default' },
    { signal: aborter.signal, onError: (error) => errors.push(error) },
  )
  try {
    await synced
    await Bun.sleep(QUIET_MS)
    const metadata = { name: 'late', namespace: 'default' }
    await client.create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: {} })
    await eventually(async () => expect([...store.keys()]).toEqual(['default/late']), 5_000)
    expect(errors).toEqual([])
  } finally {
    aborter.abort()
    await done
    client.close()
    await plane.stop()
  }
}
