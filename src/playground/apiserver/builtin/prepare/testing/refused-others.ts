/**
 * Objects of the other kinds that are refused, and the words about them.
 * @module
 */
import { LABEL_TEXT, QUALIFIED_TEXT, SUBDOMAIN_TEXT } from '../../../objects/names.ts'
import { object, type Refused, slice } from './objects.ts'

export const REFUSED_OTHERS: readonly Refused[] = [
  [
    object('ConfigMap', { data: { 'a b': 'x' } }),
    `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ],
  [
    object('ConfigMap', { data: { a: 1 } }),
    'json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  ],
  [
    object('ConfigMap', { data: { a: 'x' }, binaryData: { a: 'eA==' } }),
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ],
  [object('ConfigMap', { binaryData: { a: '%' } }), 'illegal base64 data at input byte 0'],
  [object('ConfigMap', { data: { '..': 'x' } }), `data[..]: Invalid value: "..": must not be '..'`],
  [
    object('ConfigMap', { data: 'x' }),
    'json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
  ],
  [object('Secret', { data: { a: '%' } }), 'illegal base64 data at input byte 0'],
  [
    object('Secret', { data: { 'a b': 'eA==' } }),
    `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ],
  [
    object('Secret', { type: 'kubernetes.io/tls', data: {} }),
    '[data[tls.crt]: Required value, data[tls.key]: Required value]',
  ],
  [
    object('Secret', { stringData: { 'a b': 'x' } }),
    `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ],
  [object('Secret', { type: 'kubernetes.io/dockerconfigjson', data: {} }), 'data[.dockerconfigjson]: Required value'],
  [
    object('Secret', { type: 'kubernetes.io/basic-auth', data: {} }),
    '[data[username]: Required value, data[password]: Required value]',
  ],
  [slice({ addressType: undefined }), 'addressType: Required value'],
  [slice({ addressType: 'X' }), 'addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"'],
  [
    slice({ endpoints: [{ addresses: [] }] }),
    'endpoints[0].addresses: Required value: must contain at least 1 address',
  ],
  [
    slice({ endpoints: [{ addresses: ['x'] }] }),
    '[endpoints[0].addresses[0]: Invalid value: "x": must be a valid IPv4 address, endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address]',
  ],
  [
    slice({ endpoints: [{ addresses: ['fd00::1'] }] }),
    'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address',
  ],
  [slice({ ports: [{ port: 80 }, { port: 81 }] }), 'ports[1].name: Duplicate value: ""'],
  [
    slice({ ports: [{ port: 80, protocol: 'X' }] }),
    'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
  ],
  [slice({ ports: [{ port: 80, name: 'A B' }] }), `ports[0].name: Invalid value: "A B": ${LABEL_TEXT}`],
  [
    slice({ endpoints: [{ addresses: ['10.0.0.1'], nodeName: 'A_' }] }),
    `endpoints[0].nodeName: Invalid value: "A_": ${SUBDOMAIN_TEXT}`,
  ],
  [
    slice({ endpoints: [{ addresses: ['127.0.0.1'] }] }),
    'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    slice({ endpoints: [{ addresses: ['10.0.0.1'], hostname: 'A_' }] }),
    `endpoints[0].hostname: Invalid value: "A_": ${LABEL_TEXT}`,
  ],
  [
    slice({ addressType: 'FQDN', endpoints: [{ addresses: ['a_'] }] }),
    `endpoints[0].addresses[0]: Invalid value: "a_": ${SUBDOMAIN_TEXT}`,
  ],
  [
    slice({ ports: [{ port: 80, appProtocol: 'a b' }] }),
    `ports[0].appProtocol: Invalid value: "a b": ${QUALIFIED_TEXT}`,
  ],
  [
    object('Lease', { spec: { leaseDurationSeconds: 0 } }, 'coordination.k8s.io/v1'),
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ],
  [
    object('Lease', { spec: { leaseTransitions: -1 } }, 'coordination.k8s.io/v1'),
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    object('Event', { involvedObject: { namespace: 'other' } }),
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ],
  [
    object('Event', { involvedObject: { kind: 'Pod', namespace: 'default' }, count: 'x' }),
    'json: cannot unmarshal string into Go struct field Event.count of type int32',
  ],
  [
    object('Endpoints', { subsets: [{ addresses: [{ ip: 'x' }], ports: [{ port: 80 }] }] }),
    '[subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address]',
  ],
  [object('Secret', { type: 'kubernetes.io/ssh-auth', data: {} }), 'data[ssh-privatekey]: Required value'],
  [object('Secret', { type: 'kubernetes.io/dockercfg', data: {} }), 'data[.dockercfg]: Required value'],
  [
    object('Secret', { type: 'kubernetes.io/service-account-token', data: {} }),
    'metadata.annotations[kubernetes.io/service-account.name]: Required value',
  ],
  [object('ConfigMap', { data: { '.': '' } }), `data[.]: Invalid value: ".": must not be '.'`],
  [
    object('ConfigMap', { data: { '': '' } }),
    `data[]: Invalid value: "": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ],
  [
    object('Event', { involvedObject: { kind: 'Node', name: 'n' }, metadata: { name: 'x', namespace: 'kube-system' } }),
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
  ],
  [
    slice({
      ports: [
        { port: 80, name: '' },
        { port: 81, name: 'a' },
        { port: 82, name: 'a' },
      ],
    }),
    'ports[2].name: Duplicate value: "a"',
  ],
]
