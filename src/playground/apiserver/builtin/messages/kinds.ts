/**
 * What the kinds are, for those who ask.
 * @module
 */

/** One sentence for each kind. */
export const KIND_WORDS: ReadonlyMap<string, string> = new Map([
  ['Namespace', 'A room with names of its own; with tenants, a network of its own too.'],
  ['Node', 'A machine that runs pods.'],
  ['Pod', 'Containers that run together on one node and share one network.'],
  ['Service', 'One address in front of many pods.'],
  ['Endpoints', 'The backends of a service in one object; EndpointSlices are what is used.'],
  ['EndpointSlice', 'Some backends of a service, with their ports.'],
  ['NetworkPolicy', 'Who may connect to some pods of a namespace, and where these may connect to.'],
  ['ConfigMap', 'Settings for pods.'],
  ['Secret', 'Settings for pods that are not for everyone.'],
  ['ServiceAccount', 'Who a pod is to the API.'],
  ['Event', 'Something that happened to an object. It is kept for a while.'],
  ['Deployment', 'Pods of one template, replaced step by step when it changes.'],
  ['ReplicaSet', 'A number of pods that are all the same.'],
  ['StatefulSet', 'Pods with names that stay theirs.'],
  ['ControllerRevision', 'A state that a StatefulSet has been in.'],
  ['Lease', 'Who holds something, and until when.'],
  ['CustomResourceDefinition', 'A kind of object that the API serves because somebody asked it to.'],
])
