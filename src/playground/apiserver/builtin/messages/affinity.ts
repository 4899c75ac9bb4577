/**
 * Where pods want to run.
 * @module
 */
import type { Messages } from './message.ts'

export const AFFINITY_MESSAGES = {
  Affinity: {
    nodeAffinity: [1, '*NodeAffinity', 'Which nodes.'],
    podAffinity: [2, '*PodAffinity', 'Beside which pods.'],
    podAntiAffinity: [3, '*PodAntiAffinity', 'Away from which pods.'],
  },
  NodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [1, '*NodeSelector', 'Nodes that are allowed.'],
    preferredDuringSchedulingIgnoredDuringExecution: [2, '[]PreferredSchedulingTerm', 'Nodes that are liked.'],
  },
  NodeSelector: {
    nodeSelectorTerms: [1, '[]NodeSelectorTerm', 'One of these has to hold.'],
  },
  NodeSelectorTerm: {
    matchExpressions: [1, '[]NodeSelectorRequirement', 'On labels; all have to hold.'],
    matchFields: [2, '[]NodeSelectorRequirement', 'On fields, of which there is metadata.name.'],
  },
  NodeSelectorRequirement: {
    key: [1, 'string', 'The label or field.'],
    operator: [2, 'string', 'In, NotIn, Exists, DoesNotExist, Gt or Lt.'],
    values: [3, '[]string', 'What it is compared with.'],
  },
  PreferredSchedulingTerm: {
    weight: [1, 'int32', 'How much, 1 to 100.'],
    preference: [2, 'NodeSelectorTerm', 'Which nodes.'],
  },
  PodAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [1, '[]PodAffinityTerm', 'All have to hold.'],
    preferredDuringSchedulingIgnoredDuringExecution: [2, '[]WeightedPodAffinityTerm', 'What is liked.'],
  },
  PodAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [1, '[]PodAffinityTerm', 'All have to hold.'],
    preferredDuringSchedulingIgnoredDuringExecution: [2, '[]WeightedPodAffinityTerm', 'What is liked.'],
  },
  PodAffinityTerm: {
    labelSelector: [1, '*LabelSelector', 'Which pods.'],
    namespaces: [2, '[]string', "In which namespaces; the pod's own unless given."],
    topologyKey: [3, 'string', 'The label of nodes whose value says what is beside what.'],
    namespaceSelector: [4, '*LabelSelector', 'In namespaces with which labels.'],
    matchLabelKeys: [5, '[]string', "Labels whose values must be the pod's own."],
    mismatchLabelKeys: [6, '[]string', "Labels whose values must not be the pod's own."],
  },
  WeightedPodAffinityTerm: {
    weight: [1, 'int32', 'How much, 1 to 100.'],
    podAffinityTerm: [2, 'PodAffinityTerm', 'What.'],
  },
} as const satisfies Messages
