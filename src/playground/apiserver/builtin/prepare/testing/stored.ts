/**
 * Objects in all sorts of forms that are stored, completed.
 * @module
 */
import type { KubeObject } from '../../../../../kube/object.ts'
import { networkPolicy, object, pod, service, slice, template, workload } from './objects.ts'

const volumes = [
  { name: 'v' },
  { name: 's', secret: { secretName: 'q' } },
  { name: 'm', configMap: { name: 'q', defaultMode: 256 } },
  {
    name: 'p',
    projected: { sources: [{ downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name' } }] } }] },
  },
  { name: 'd', downwardAPI: {} },
  { name: 'h', hostPath: { path: '/' } },
]
const container = {
  image: 'i:1',
  workingDir: '',
  ports: [{ containerPort: 80 }],
  livenessProbe: { httpGet: { port: 80 } },
  readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 3, successThreshold: 2 },
  startupProbe: { grpc: { port: 1 } },
  env: [
    { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'B', value: '' },
  ],
  resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
  lifecycle: { postStart: { httpGet: { port: 80 } } },
  volumeMounts: [{ name: 'v', mountPath: '/v' }],
}
const zeros = {
  hostname: '',
  hostPID: false,
  nodeSelector: {},
  terminationGracePeriodSeconds: -1,
  securityContext: null,
}

export const STORED: readonly KubeObject[] = [
  pod(),
  pod({ hostNetwork: true, volumes }, container),
  pod({ ...zeros, serviceAccountName: 's' }, { image: 'registry.example:5000/i:latest', ports: [] }),
  pod({ initContainers: [{ name: 'ii', image: 'registry.example:5000/i@sha256:aa' }], dnsPolicy: 'Default' }),
  workload('Deployment'),
  workload('Deployment', { strategy: { type: 'Recreate' }, replicas: 0, revisionHistoryLimit: 0 }),
  workload('Deployment', { strategy: { rollingUpdate: { maxSurge: 1 } } }),
  workload('Deployment', { template: template({ hostNetwork: true, volumes }, container) }),
  workload('Deployment', { selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] } }),
  workload('ReplicaSet'),
  workload('StatefulSet'),
  workload('StatefulSet', { updateStrategy: { type: 'OnDelete' } }),
  workload('StatefulSet', { updateStrategy: { rollingUpdate: {} }, podManagementPolicy: 'Parallel' }),
  service(),
  service({ type: 'NodePort', sessionAffinity: 'ClientIP' }),
  service({ type: 'LoadBalancer' }),
  service({ clusterIP: 'None' }),
  service({ clusterIP: 'None', ports: [] }),
  service({ type: 'ExternalName', externalName: 'a.b', internalTrafficPolicy: 'Local' }),
  service({ externalIPs: ['192.0.2.1'] }),
  service({ selector: {} }, { targetPort: 'http', protocol: 'UDP' }),
  service({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }),
  object('Secret', { stringData: { a: 'ä' }, data: { b: 'eA==' } }),
  object('Secret'),
  object('ConfigMap', { data: { a: 'b' }, binaryData: { c: 'eA==' } }),
  slice(),
  slice({ ports: [{}], endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }] }),
  slice({ addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'], nodeName: 'n' }] }),
  object('Endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }),
  networkPolicy(),
  networkPolicy({ podSelector: { matchLabels: { a: 'b' } }, ingress: [], egress: [] }),
  networkPolicy({ ingress: [{}, { from: [], ports: [] }], egress: [{}] }),
  networkPolicy({ policyTypes: ['Egress'], ingress: [{}] }),
  networkPolicy({
    ingress: [
      {
        from: [
          { podSelector: {} },
          { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }, podSelector: {} },
          { ipBlock: { cidr: '10.1.2.3/8', except: ['10.1.0.0/16', '010.2.0.0/16'] } },
          { ipBlock: { cidr: '2001:db8::/32', except: ['2001:db8:1::/48'] } },
        ],
        ports: [{}, { port: 80 }, { port: 80, endPort: 90, protocol: 'UDP' }, { port: 'http', protocol: 'SCTP' }],
      },
    ],
  }),
  object('NetworkPolicy', {}, 'networking.k8s.io/v1'),
  object('Lease', {}, 'coordination.k8s.io/v1'),
  object('Lease', { spec: { renewTime: '2024-01-01T00:00:00.000000Z' } }, 'coordination.k8s.io/v1'),
  object('Node', { spec: { podCIDR: '10.0.0.0/24' } }),
]
