import { expect, test } from 'bun:test'
import { planPrograms } from './bgp.ts'

test.each([
  [{}, 'kubectl', 'weft fabric show'],
  [{ runDir: '/tmp/p' }, 'kubectl --kubeconfig /tmp/p/kubeconfig', 'weft fabric show --run-dir /tmp/p'],
  [{ kubeconfig: "a 'b'", context: 'lab' }, "kubectl --kubeconfig 'a '\\''b'\\''' --context lab", 'weft fabric show'],
])('the commands of a plan lead to the cluster that was asked about: %j', (choice, kubectl, fabric) => {
  expect(planPrograms(choice)).toEqual({ kubectl, fabric })
})
