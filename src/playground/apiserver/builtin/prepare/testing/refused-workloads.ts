/**
 * Deployments, ReplicaSets and StatefulSets that are refused, and the words about them.
 * @module
 */
import { LABEL_VALUE_TEXT, QUALIFIED_TEXT } from '../../../objects/names.ts'
import { type Refused, template, workload } from './objects.ts'

export const REFUSED_WORKLOADS: readonly Refused[] = [
  [
    workload('Deployment', { selector: undefined }),
    `[spec.selector: Required value, spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: \`selector\` does not match template \`labels\`]`,
  ],
  [
    workload('Deployment', { selector: {} }),
    'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment',
  ],
  [
    workload('Deployment', { template: undefined }),
    `[spec.template.metadata.labels: Invalid value: map[string]string(nil): \`selector\` does not match template \`labels\`, spec.template.spec.containers: Required value]`,
  ],
  [
    workload('Deployment', { selector: { matchLabels: { z: 'y' } } }),
    `spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: \`selector\` does not match template \`labels\``,
  ],
  [
    workload('Deployment', { template: template({ restartPolicy: 'Never' }) }),
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
  [workload('Deployment', { replicas: -1 }), 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  [
    workload('Deployment', { strategy: { type: 'X' } }),
    'spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:"X", RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported values: "Recreate", "RollingUpdate"',
  ],
  [
    workload('Deployment', { strategy: { type: 'Recreate', rollingUpdate: {} } }),
    `spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy \`type\` is 'Recreate'`,
  ],
  [
    workload('Deployment', { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: may not be 0 when \`maxSurge\` is 0`,
  ],
  [
    workload('Deployment', { strategy: { rollingUpdate: { maxSurge: 'x' } } }),
    `spec.strategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:"x"}: a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
  ],
  [
    workload('Deployment', { strategy: { rollingUpdate: { maxUnavailable: '200%' } } }),
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:"200%"}: must not be greater than 100%',
  ],
  [
    workload('Deployment', { strategy: { rollingUpdate: { maxSurge: -1 } } }),
    'spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    workload('Deployment', { minReadySeconds: -1 }),
    'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    workload('Deployment', { revisionHistoryLimit: -1 }),
    'spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    workload('Deployment', { minReadySeconds: 600, progressDeadlineSeconds: 600 }),
    'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
  ],
  [
    workload('Deployment', { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
    `[spec.selector.matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn', spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"a", Operator:"In", Values:[]string(nil)}}}: invalid label selector]`,
  ],
  [
    workload('Deployment', { selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] } }),
    `[spec.selector.matchExpressions[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist', spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"a", Operator:"Exists", Values:[]string{"x"}}}}: invalid label selector]`,
  ],
  [
    workload('Deployment', { selector: { matchLabels: { 'a b': 'c' } } }),
    `[spec.selector.matchLabels: Invalid value: "a b": ${QUALIFIED_TEXT}, spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"a b":"c"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: invalid label selector]`,
  ],
  [
    workload('Deployment', { template: template({}, {}, { a: 'b c' }) }),
    `[spec.template.metadata.labels: Invalid value: map[string]string{"a":"b c"}: \`selector\` does not match template \`labels\`, spec.template.labels: Invalid value: "b c": ${LABEL_VALUE_TEXT}]`,
  ],
  [
    workload('Deployment', { template: template({ activeDeadlineSeconds: 5 }) }),
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
  ],
  [workload('Deployment', { template: template({ containers: [] }) }), 'spec.template.spec.containers: Required value'],
  [
    workload('Deployment', { replicas: 'x' }),
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    workload('Deployment', { template: template({ containers: [{ name: 'c' }] }) }),
    'spec.template.spec.containers[0].image: Required value',
  ],
  [
    workload('ReplicaSet', { selector: { matchLabels: { z: 'y' } } }),
    `spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: \`selector\` does not match template \`labels\``,
  ],
  [
    workload('ReplicaSet', { replicas: -1, selector: {} }),
    '[spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment]',
  ],
  [
    workload('ReplicaSet', { template: undefined, selector: undefined }),
    `[spec.selector: Required value, spec.template.metadata.labels: Invalid value: map[string]string(nil): \`selector\` does not match template \`labels\`, spec.template.spec.containers: Required value]`,
  ],
  [
    { kind: 'ReplicaSet', apiVersion: 'apps/v1', metadata: { name: 'x' } },
    `[spec.selector: Required value, spec.template.metadata.labels: Invalid value: map[string]string(nil): \`selector\` does not match template \`labels\`, spec.template.spec.containers: Required value]`,
  ],
  [
    workload('StatefulSet', { podManagementPolicy: 'X' }),
    `spec.podManagementPolicy: Invalid value: "X": must be 'OrderedReady' or 'Parallel'`,
  ],
  [
    workload('StatefulSet', { updateStrategy: { type: 'X' } }),
    `spec.updateStrategy: Invalid value: apps.StatefulSetUpdateStrategy{Type:"X", RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}: must be 'RollingUpdate' or 'OnDelete'`,
  ],
  [
    workload('StatefulSet', { updateStrategy: { rollingUpdate: { partition: -1 } } }),
    'spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    workload('StatefulSet', { selector: { matchLabels: { z: 'y' } } }),
    `spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: \`selector\` does not match template \`labels\``,
  ],
  [
    workload('StatefulSet', { ordinals: { start: -1 } }),
    'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    workload('StatefulSet', { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } }),
    "spec.updateStrategy.rollingUpdate: Invalid value: apps.RollingUpdateStatefulSetStrategy{Partition:1, MaxUnavailable:(*intstr.IntOrString)(nil)}: only allowed for updateStrategy 'RollingUpdate'",
  ],
  [
    workload('StatefulSet', { replicas: -1, revisionHistoryLimit: -1, minReadySeconds: -1 }),
    '[spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0]',
  ],
  [
    workload('StatefulSet', { template: template({ restartPolicy: 'Never' }) }),
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
  [
    workload('StatefulSet', { selector: {} }),
    'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for statefulset',
  ],
  [
    workload('StatefulSet', { selector: undefined }),
    `[spec.selector: Required value, spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: \`selector\` does not match template \`labels\`]`,
  ],
  [
    workload('StatefulSet', { template: template({ activeDeadlineSeconds: 5 }) }),
    'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported',
  ],
  [
    workload('StatefulSet', { selector: { matchLabels: { 'a b': 'c' } } }),
    `[spec.selector.matchLabels: Invalid value: "a b": ${QUALIFIED_TEXT}, spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"a b":"c"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}]`,
  ],
  [
    workload('Deployment', {
      template: { ...template(), metadata: { labels: { a: 'b' }, annotations: { 'x y': 'z' } } },
    }),
    `spec.template.annotations: Invalid value: "x y": ${QUALIFIED_TEXT}`,
  ],
  [
    workload('Deployment', { template: { ...template(), metadata: { labels: { a: 'b', 'c d': 'e' } } } }),
    `spec.template.labels: Invalid value: "c d": ${QUALIFIED_TEXT}`,
  ],
  [
    workload('Deployment', { selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c d'] }] } }),
    `[spec.selector.matchExpressions[0].values[1]: Invalid value: "c d": ${LABEL_VALUE_TEXT}, spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"a", Operator:"In", Values:[]string{"b", "c d"}}}}: invalid label selector]`,
  ],
  [
    workload('Deployment', { selector: { matchExpressions: [{ key: 'a', operator: 'X' }] } }),
    '[spec.selector.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator, spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"a", Operator:"X", Values:[]string(nil)}}}: invalid label selector]',
  ],
  [
    workload('Deployment', { selector: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] } }),
    `spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: \`selector\` does not match template \`labels\``,
  ],
]
