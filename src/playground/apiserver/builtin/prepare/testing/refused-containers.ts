/**
 * Pods with containers that are refused, and the words about them.
 * @module
 */
import { LABEL_TEXT, SUBDOMAIN_TEXT } from '../../../objects/names.ts'
import { pod, type Refused } from './objects.ts'

export const REFUSED_CONTAINERS: readonly Refused[] = [
  [pod({}, { name: undefined }), 'spec.containers[0].name: Required value'],
  [pod({}, { name: 'A_' }), `spec.containers[0].name: Invalid value: "A_": ${LABEL_TEXT}`],
  [pod({}, { image: undefined }), 'spec.containers[0].image: Required value'],
  [
    pod({}, { image: ' i' }),
    'spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace',
  ],
  [pod({}, { ports: [{ containerPort: 0 }] }), 'spec.containers[0].ports[0].containerPort: Required value'],
  [
    pod({}, { ports: [{ containerPort: 70000 }] }),
    'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ],
  [pod({}, { ports: [{}] }), 'spec.containers[0].ports[0].containerPort: Required value'],
  [
    pod({}, { ports: [{ containerPort: 80, protocol: 'X' }] }),
    'spec.containers[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    pod({}, { ports: [{ containerPort: 80, name: 'A B' }] }),
    '[spec.containers[0].ports[0].name: Invalid value: "A B": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), spec.containers[0].ports[0].name: Invalid value: "A B": must contain at least one letter (a-z)]',
  ],
  [
    pod(
      {},
      {
        ports: [
          { containerPort: 80, name: 'a' },
          { containerPort: 81, name: 'a' },
        ],
      },
    ),
    'spec.containers[0].ports[1].name: Duplicate value: "a"',
  ],
  [
    pod({}, { ports: [{ containerPort: 80, hostPort: 90000 }] }),
    'spec.containers[0].ports[0].hostPort: Invalid value: 90000: must be between 1 and 65535, inclusive',
  ],
  [
    pod({}, { imagePullPolicy: 'X' }),
    'spec.containers[0].imagePullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
  ],
  [pod({}, { env: [{ name: '' }] }), 'spec.containers[0].env[0].name: Required value'],
  [
    pod({}, { env: [{ name: 'a=b' }] }),
    `spec.containers[0].env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ],
  [
    pod({}, { env: [{ name: 'a', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    `spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
  ],
  [
    pod({}, { env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'nope' } } }] }),
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "nope": error converting fieldPath: field label not supported: nope',
  ],
  [pod({}, { livenessProbe: {} }), 'spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  [
    pod({}, { livenessProbe: { httpGet: { port: 0 } } }),
    'spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
  ],
  [
    pod({}, { livenessProbe: { httpGet: { port: 'x y' } } }),
    'spec.containers[0].livenessProbe.httpGet.port: Invalid value: "x y": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
  ],
  [
    pod({}, { livenessProbe: { exec: { command: [] } } }),
    'spec.containers[0].livenessProbe.exec.command: Required value',
  ],
  [
    pod(
      {},
      {
        livenessProbe: {
          tcpSocket: { port: 80 },
          periodSeconds: -1,
          timeoutSeconds: -1,
          failureThreshold: -1,
          successThreshold: 2,
          initialDelaySeconds: -1,
        },
      },
    ),
    '[spec.containers[0].livenessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0, spec.containers[0].livenessProbe.timeoutSeconds: Invalid value: -1: must be greater than or equal to 0, spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0, spec.containers[0].livenessProbe.failureThreshold: Invalid value: -1: must be greater than or equal to 0, spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1]',
  ],
  [
    pod({}, { readinessProbe: { tcpSocket: { port: 80 }, exec: { command: ['x'] } } }),
    'spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
  ],
  [
    pod({}, { livenessProbe: { httpGet: { port: 80, scheme: 'X' } } }),
    'spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: "X": supported values: "HTTP", "HTTPS"',
  ],
  [
    pod({}, { volumeMounts: [{ name: 'v', mountPath: '/x' }] }),
    'spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ],
  [
    pod({}, { resources: { requests: { cpu: 'x' } } }),
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    pod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  ],
  [
    pod({}, { resources: { requests: { cpu: '-1' } } }),
    'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    pod({}, { ports: [{ containerPort: '80' }] }),
    'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    pod({}, { ports: [{ containerPort: 1.5 }] }),
    'json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    pod({}, { ports: [{ containerPort: 3000000000 }] }),
    'json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    pod({}, { livenessProbe: { httpGet: { port: true } } }),
    'json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32',
  ],
  [
    pod({}, { resources: { limits: { cpu: true } } }),
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    pod({}, { args: [1] }),
    'json: cannot unmarshal number into Go struct field Container.spec.containers.args of type string',
  ],
  [
    pod({}, { ports: [{ containerPort: 80, name: 'a'.repeat(16) }] }),
    'spec.containers[0].ports[0].name: Invalid value: "aaaaaaaaaaaaaaaa": must be no more than 15 characters',
  ],
  [
    pod({}, { ports: [{ containerPort: 80, name: 'a--b' }] }),
    'spec.containers[0].ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens',
  ],
  [
    pod({}, { ports: [{ containerPort: 80, name: '-a' }] }),
    'spec.containers[0].ports[0].name: Invalid value: "-a": must not begin or end with a hyphen',
  ],
  [
    pod({}, { ports: [{ containerPort: 80, name: '80' }] }),
    'spec.containers[0].ports[0].name: Invalid value: "80": must contain at least one letter (a-z)',
  ],
  [
    pod({}, { name: 'a'.repeat(64) }),
    'spec.containers[0].name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 63 characters',
  ],
  [
    pod({}, { lifecycle: { preStop: {} } }),
    'spec.containers[0].lifecycle.preStop: Required value: must specify a handler type',
  ],
  [
    pod({}, { lifecycle: { preStop: { httpGet: { port: 0 } } } }),
    'spec.containers[0].lifecycle.preStop.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
  ],
  [
    pod({}, { livenessProbe: { grpc: { port: 0 } } }),
    'spec.containers[0].livenessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive',
  ],
  [
    pod({}, { livenessProbe: { exec: {}, terminationGracePeriodSeconds: 0 } }),
    '[spec.containers[0].livenessProbe.exec.command: Required value, spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0]',
  ],
  [
    pod({}, { securityContext: { runAsUser: -1 } }),
    'spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    pod({}, { livenessProbe: { tcpSocket: {} } }),
    'spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive',
  ],
  [
    pod({}, { restartPolicy: 'Always' }),
    'spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers',
  ],
  [
    pod({}, { terminationMessagePolicy: 'X' }),
    'spec.containers[0].terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"',
  ],
  [
    pod({}, { env: [{ name: 'a', valueFrom: {} }] }),
    `spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
  ],
  [
    pod({}, { env: [{ name: 'a', valueFrom: { configMapKeyRef: { name: 'x' } } }] }),
    'spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value',
  ],
  [
    pod({}, { env: [{ name: 'a', valueFrom: { secretKeyRef: { key: 'x' } } }] }),
    `spec.containers[0].env[0].valueFrom.secretKeyRef.name: Invalid value: "": ${SUBDOMAIN_TEXT}`,
  ],
  [
    pod({}, { envFrom: [{}] }),
    `spec.containers[0].envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
  ],
  [
    pod(
      {},
      {
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80 },
        ],
      },
    ),
    'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"',
  ],
]
