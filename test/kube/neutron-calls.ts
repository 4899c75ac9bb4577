/**
 * What makes a controller look after ports of OpenStack, as far as it comes without a cloud: it says that it knows none.
 * @module
 */
import type { Watched } from './claims-calls.ts'
import { eventually } from './process.ts'

const PATIENCE = 30_000

/** Declares networks of Neutron's and takes them away. */
export async function exerciseNeutron({ kubectl, hasDone }: Watched): Promise<void> {
  for (const name of ['pods', 'others']) {
    const metadata = { name }
    await kubectl(['create', '-f', '-'], {
      apiVersion: 'weft.dev/v1alpha1',
      kind: 'NeutronNetwork',
      metadata,
      spec: { network: name },
    })
    await kubectl(['wait', 'neutronnetwork', name, '--for=jsonpath={.status.reason}=OPENSTACK_CONFIG', '--timeout=60s'])
  }
  await eventually(async () => kubectl(['get', 'nodeports', 'node1']), PATIENCE)
  await eventually(hasDone('patch', 'nodeports'), PATIENCE)
  await eventually(hasDone('get', 'neutronnetworks'), PATIENCE)
  await kubectl(['delete', 'neutronnetwork', '--all'])
  await eventually(hasDone('delete', 'nodeports'), PATIENCE)
}
