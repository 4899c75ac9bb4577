import { expect, test } from 'bun:test'
import { checkReadiness, planCall } from './plan-call.ts'
import { resolvingBy } from './testing/call.ts'

const RESOLVING = resolvingBy({}, { clusterNetwork: 'mine', configDir: '/mine' })
const MULTUS = { cniVersion: '0.3.1', name: 'multus-cni-network', clusterNetwork: 'kube-system/ovs-conf' }

test('by our own name the node’s settings say what a pod gets', () => {
  expect(planCall('weft', { name: 'weft' }, RESOLVING)).toEqual({ kind: 'networks', resolving: RESOLVING, path: [] })
})

test.each(['multus', 'multus-shim'])('as %s its configuration does', (program) => {
  const config = {
    ...MULTUS,
    defaultNetworks: ['d'],
    confDir: '/c',
    binDir: '/b',
    multusNamespace: 'm',
    namespaceIsolation: true,
  }
  expect<unknown>(planCall(program, config, RESOLVING)).toMatchObject({
    kind: 'networks',
    path: ['/b'],
    resolving: {
      grants: RESOLVING.grants,
      defaults: {
        clusterNetwork: 'kube-system/ovs-conf',
        defaultNetworks: ['d'],
        namespace: 'm',
        configDir: '/c',
        systemNamespaces: ['kube-system'],
        isolation: { globalNamespaces: new Set(['default']) },
      },
    },
  })
})

test('networks in full are taken as they are', () => {
  const delegates = [
    { cniVersion: '1.0.0', name: 'a', type: 'x' },
    { cniVersion: '1.0.0', name: 'b', plugins: [{ type: 'y' }] },
  ]
  expect<unknown>(planCall('multus', { name: 'n', delegates }, RESOLVING)).toMatchObject({
    resolving: { defaults: { clusterNetwork: 'a', defaultNetworks: ['b'], delegates: [{ name: 'a' }, { name: 'b' }] } },
  })
})

test('nothing is attached before the file is there that says so', () => {
  const waiting = planCall('multus', { ...MULTUS, readinessindicatorfile: '/nonexistent/ready' }, RESOLVING)
  expect(() => checkReadiness(waiting)).toThrow('/nonexistent/ready is not there yet')
  checkReadiness(planCall('multus', { ...MULTUS, readinessindicatorfile: import.meta.path }, RESOLVING))
  checkReadiness(planCall('multus', MULTUS, RESOLVING))
})

test('what is wrong with it is refused', () => {
  expect(() => planCall('multus', { name: 'n' }, RESOLVING)).toThrow('clusterNetwork: is missing')
})

test('one plugin for itself', () => {
  expect(planCall('ifacer', { name: 'n', type: 'ifacer', prevResult: {} }, RESOLVING)).toMatchObject({
    kind: 'plugin',
    plugin: { name: 'n', type: 'ifacer' },
  })
})
