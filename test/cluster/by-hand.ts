/**
 * Weft on a rig without its manifest: definitions, configuration, plugin and daemons put there one by one, from the
 * sources, as the administrator.
 * @module
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProcess } from '../../src/playground/processes.ts'
import type { Cluster } from './cluster.ts'
import { hostPath, inNode } from './node-host.ts'
import { inControl, nodeNamed, pkiFile, SERVICE_RANGES } from './places.ts'
import { waitFor } from './programs.ts'
import type { Weft } from './weft.ts'

const ROOT = join(import.meta.dir, '../..')
const WEFT = [process.execPath, join(ROOT, 'src/main.ts')]

/** Installs Weft; resolves when every node is ready. */
export async function installByHand(rig: Cluster): Promise<Weft> {
  const { places } = rig
  const { layout, nodes } = places
  const access = ['--kubeconfig', pkiFile(places, 'admin.kubeconfig')]
  await rig.ask('apply', '-f', join(ROOT, 'deploy/crds'))
  await rig.ask('wait', '--for=condition=established', 'crd', '--all', '--timeout=30s')
  await rig.apply(CLUSTER_NETWORK)
  startProcess(layout, { role: 'weft-controller', argv: [...inControl(places), ...WEFT, 'controller', ...access] })
  for (const node of nodes) {
    const agent = ['agent', ...access, '--node', node.name, '--datapath', 'netdev']
    startProcess(layout, { role: `${node.name}-agent`, argv: [...inNode(places, node), ...WEFT, ...agent] })
    mkdirSync(hostPath(node, '/opt/cni/bin'), { recursive: true })
    copyFileSync(join(ROOT, 'dist/weft-cni'), hostPath(node, '/opt/cni/bin/weft'))
    writeFileSync(hostPath(node, '/etc/cni/net.d/80-weft.conflist'), JSON.stringify(PLUGIN))
  }
  await waitFor('every node is ready', async () => (await rig.readyNodes()).length === nodes.length)
  return { audit: (node) => rig.onNode(nodeNamed(places, node), [...WEFT, 'audit', ...access]) }
}

const PLUGIN = { cniVersion: '1.0.0', name: 'weft', plugins: [{ type: 'weft' }] }

const CLUSTER_NETWORK = {
  apiVersion: 'network.openshift.io/v1',
  kind: 'ClusterNetwork',
  metadata: { name: 'default' },
  network: '10.128.0.0/14',
  hostsubnetlength: 9,
  serviceNetwork: SERVICE_RANGES[0],
  pluginName: 'redhat/openshift-ovs-multitenant',
  clusterNetworks: [
    { CIDR: '10.128.0.0/14', hostSubnetLength: 9 },
    { CIDR: 'fd00:10:128::/48', hostSubnetLength: 64 },
  ],
  weft: { serviceNetworks: SERVICE_RANGES },
}
