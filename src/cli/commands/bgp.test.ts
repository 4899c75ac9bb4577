import { expect, test } from 'bun:test'
import { reflectorSteps } from '../../insight/bgp/print.ts'
import { planPrograms } from './bgp.ts'

test.each([
  [{}, 'kubectl', 'weft fabric show'],
  [{ runDir: '/tmp/p' }, 'kubectl --kubeconfig /tmp/p/kubeconfig', 'weft fabric show --run-dir /tmp/p'],
  [{ kubeconfig: "a 'b'", context: 'lab' }, "kubectl --kubeconfig 'a '\\''b'\\''' --context lab", 'weft fabric show'],
])('the commands of a plan lead to the cluster that was asked about: %j', (choice, kubectl, fabric) => {
  expect(planPrograms(choice)).toEqual({ kubectl, objects: 'kubectl', fabric })
})

test('where Calico’s etcd has the objects, they are written there, and Nodes in Kubernetes', () => {
  const programs = planPrograms({ etcdEndpoints: 'http://192.0.2.10:2379', etcdLayout: 'calico' })
  const clusterId = '192.0.2.1'
  const reflectors = [{ node: 'node1', zone: 'a', clusterId }]
  const steps = reflectorSteps({ proposal: { reflectors } as never }, programs)
  expect(steps).toEqual([
    `echo '{"apiVersion":"projectcalico.org/v3","kind":"BGPPeer","metadata":{"name":"reflectors"},"spec":{"peerSelector":"has(route-reflector)"}}' | calicoctl apply -f -`,
    'kubectl label node node1 route-reflector=yes',
    `kubectl annotate node node1 projectcalico.org/RouteReflectorClusterID=${clusterId}`,
    'weft fabric show',
    `calicoctl patch bgpconfiguration default -p '{"spec":{"nodeToNodeMeshEnabled":false}}' || echo '{"apiVersion":"projectcalico.org/v3","kind":"BGPConfiguration","metadata":{"name":"default"},"spec":{"nodeToNodeMeshEnabled":false}}' | calicoctl create -f -`,
  ])
})
