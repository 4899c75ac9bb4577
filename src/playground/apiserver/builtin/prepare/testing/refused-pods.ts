/**
 * Pods that are refused, and the words about them.
 * @module
 */
import { LABEL_TEXT, LABEL_VALUE_TEXT, QUALIFIED_TEXT, SUBDOMAIN_TEXT } from '../../../objects/names.ts'
import { pod, type Refused } from './objects.ts'

export const REFUSED_PODS: readonly Refused[] = [
  [pod({ containers: undefined }), 'spec.containers: Required value'],
  [pod({ containers: [] }), 'spec.containers: Required value'],
  [
    pod({
      containers: [
        { name: 'c', image: 'i' },
        { name: 'c', image: 'i' },
      ],
    }),
    'spec.containers[1].name: Duplicate value: "c"',
  ],
  [pod({ initContainers: [{ name: 'c', image: 'i' }] }), 'spec.initContainers[0].name: Duplicate value: "c"'],
  [
    pod({ hostNetwork: true }, { ports: [{ containerPort: 80, hostPort: 81 }] }),
    `spec.containers[0].ports[0].hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`,
  ],
  [
    pod({ restartPolicy: 'X' }),
    'spec.restartPolicy: Unsupported value: "X": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    pod({ dnsPolicy: 'X' }),
    'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
  ],
  [pod({ dnsPolicy: 'None' }), `spec.dnsConfig: Required value: must provide \`dnsConfig\` when \`dnsPolicy\` is None`],
  [
    pod({ activeDeadlineSeconds: 0 }),
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
  ],
  [pod({ nodeName: 'A_' }), `spec.nodeName: Invalid value: "A_": ${SUBDOMAIN_TEXT}`],
  [pod({ nodeSelector: { 'a b': 'c' } }), `spec.nodeSelector: Invalid value: "a b": ${QUALIFIED_TEXT}`],
  [pod({ nodeSelector: { a: 'c d' } }), `spec.nodeSelector: Invalid value: "c d": ${LABEL_VALUE_TEXT}`],
  [pod({ hostname: 'A_' }), `spec.hostname: Invalid value: "A_": ${LABEL_TEXT}`],
  [pod({ subdomain: 'A.' }), `spec.subdomain: Invalid value: "A.": ${LABEL_TEXT}`],
  [pod({ serviceAccountName: 'A_' }), `spec.serviceAccountName: Invalid value: "A_": ${SUBDOMAIN_TEXT}`],
  [
    pod({ volumes: [{ name: 'v' }] }, { volumeMounts: [{ name: 'v', mountPath: '' }] }),
    'spec.containers[0].volumeMounts[0].mountPath: Required value',
  ],
  [pod({ volumes: [{ name: 'v' }, { name: 'v' }] }), 'spec.volumes[1].name: Duplicate value: "v"'],
  [pod({ volumes: [{}] }), 'spec.volumes[0].name: Required value'],
  [
    pod(
      { volumes: [{ name: 'v' }] },
      {
        volumeMounts: [
          { name: 'v', mountPath: '/x' },
          { name: 'v', mountPath: '/x' },
        ],
      },
    ),
    'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique',
  ],
  [
    pod({ tolerations: [{ operator: 'X' }] }),
    `[spec.tolerations[0].operator: Invalid value: "X": operator must be Exists when \`key\` is empty, which means "match all values and all keys", spec.tolerations[0].operator: Unsupported value: "X": supported values: "Equal", "Exists"]`,
  ],
  [
    pod({ tolerations: [{ key: 'a', operator: 'Exists', value: 'v' }] }),
    `spec.tolerations[0].operator: Invalid value: "v": value must be empty when \`operator\` is 'Exists'`,
  ],
  [
    pod({ tolerations: [{ effect: 'X', operator: 'Exists' }] }),
    'spec.tolerations[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
  [
    pod({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { a: 'b' } } }],
        },
      },
    }),
    `[spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty, spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty, spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": ${QUALIFIED_TEXT}]`,
  ],
  [
    pod({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'h', labelSelector: { matchExpressions: [{ key: 'a', operator: 'X' }] } },
          ],
        },
      },
    }),
    'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator',
  ],
  [
    pod({ hostAliases: [{ ip: 'x', hostnames: ['a'] }] }),
    'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    pod({ securityContext: { runAsUser: -1 } }),
    'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    pod({ dnsConfig: { nameservers: ['x'] } }),
    'spec.dnsConfig.nameservers[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    pod({ containers: 'x' }),
    'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
  ],
  [
    pod({ hostNetwork: 'yes' }),
    'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
  ],
  [
    pod({ nodeSelector: { a: 1 } }),
    'json: cannot unmarshal number into Go struct field PodSpec.spec.nodeSelector of type string',
  ],
  [{ ...pod(), spec: 5 }, 'json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec'],
  [pod({ containers: [null] }), '[spec.containers[0].name: Required value, spec.containers[0].image: Required value]'],
  [{ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'x' } }, 'spec.containers: Required value'],
  [
    pod({ nodeSelector: { 'a/b/c': 'c' } }),
    `spec.nodeSelector: Invalid value: "a/b/c": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
  ],
  [pod({ nodeSelector: { 'A_/b': 'c' } }), `spec.nodeSelector: Invalid value: "A_/b": prefix part ${SUBDOMAIN_TEXT}`],
  [
    pod({ nodeSelector: { '': 'c' } }),
    `[spec.nodeSelector: Invalid value: "": name part must be non-empty, spec.nodeSelector: Invalid value: "": ${QUALIFIED_TEXT}]`,
  ],
  [
    pod({ nodeSelector: { ['a'.repeat(64)]: 'c' } }),
    'spec.nodeSelector: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": name part must be no more than 63 characters',
  ],
  [
    pod({ nodeSelector: { a: 'c'.repeat(64) } }),
    'spec.nodeSelector: Invalid value: "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc": must be no more than 63 characters',
  ],
  [
    pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } }),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
  ],
  [
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'X' }] }],
          },
        },
      },
    }),
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "X": not a valid selector operator',
  ],
  [
    pod({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In' }] }],
          },
        },
      },
    }),
    `spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
  ],
  [
    pod({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, podAffinityTerm: { topologyKey: 'h' } }],
        },
      },
    }),
    'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
  ],
  [
    pod({
      affinity: {
        podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: {} }] },
      },
    }),
    `[spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required value: can not be empty, spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "": name part must be non-empty, spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "": ${QUALIFIED_TEXT}]`,
  ],
  [
    pod({ hostname: 'a'.repeat(64) }),
    'spec.hostname: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 63 characters',
  ],
  [pod({ volumes: [{ name: 'A_' }] }), `spec.volumes[0].name: Invalid value: "A_": ${LABEL_TEXT}`],
  [
    pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }),
    'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
  ],
  [pod({ volumes: [{ name: 'v', hostPath: { path: '' } }] }), 'spec.volumes[0].hostPath.path: Required value'],
  [pod({ volumes: [{ name: 'v', secret: {} }] }), 'spec.volumes[0].secret.secretName: Required value'],
  [
    pod({ tolerations: [{ key: 'a b', operator: 'Exists' }] }),
    `spec.tolerations[0].key: Invalid value: "a b": ${QUALIFIED_TEXT}`,
  ],
  [
    pod({ tolerations: [{ key: 'a', effect: 'NoSchedule', tolerationSeconds: 5 }] }),
    `spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
  ],
  [
    pod({ tolerations: [{ value: 'v' }] }),
    `spec.tolerations[0].operator: Invalid value: "": operator must be Exists when \`key\` is empty, which means "match all values and all keys"`,
  ],
  [
    pod({ dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }),
    'spec.dnsConfig.nameservers: Invalid value: []string{"1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"}: must not have more than 3 nameservers',
  ],
  [
    pod({ dnsPolicy: 'None', dnsConfig: {} }),
    `spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when \`dnsPolicy\` is None`,
  ],
  [pod({ dnsConfig: { searches: ['A_ b'] } }), `spec.dnsConfig.searches[0]: Invalid value: "A_ b": ${SUBDOMAIN_TEXT}`],
  [
    pod({ hostAliases: [{ ip: '1.1.1.1', hostnames: ['A_'] }] }),
    `spec.hostAliases[0].hostnames[0]: Invalid value: "A_": ${SUBDOMAIN_TEXT}`,
  ],
  [
    pod({ initContainers: [{ name: 'i', image: 'i', readinessProbe: { tcpSocket: { port: 80 } } }] }),
    'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [
    pod({ initContainers: [{ name: 'i', image: 'i', restartPolicy: 'X' }] }),
    'spec.initContainers[0].restartPolicy: Unsupported value: "X": supported values: "Always"',
  ],
  [
    pod({ shareProcessNamespace: true, hostPID: true }),
    'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
  ],
  [
    pod({ readinessGates: [{ conditionType: 'a b' }] }),
    `spec.readinessGates[0].conditionType: Invalid value: "a b": ${QUALIFIED_TEXT}`,
  ],
  [
    pod({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'X' }] }),
    '[spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero, spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty, spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"]',
  ],
]
