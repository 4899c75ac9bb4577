/**
 * Storage of pods, as far as it is served.
 * @module
 */
import type { Messages } from './message.ts'

export const VOLUME_MESSAGES = {
  Volume: {
    name: [1, 'string', 'Its name in the pod.'],
    volumeSource: [2, '...VolumeSource', ''],
  },
  VolumeSource: {
    hostPath: [1, '*HostPathVolumeSource', 'A folder or file of the node.'],
    emptyDir: [2, '*EmptyDirVolumeSource', 'A folder that lives as long as the pod.'],
    secret: [6, '*SecretVolumeSource', 'The entries of a Secret as files.'],
    downwardAPI: [16, '*DownwardAPIVolumeSource', 'Fields of the pod as files.'],
    configMap: [19, '*ConfigMapVolumeSource', 'The entries of a ConfigMap as files.'],
    projected: [26, '*ProjectedVolumeSource', 'Several of these in one folder.'],
  },
  EmptyDirVolumeSource: {
    medium: [1, 'string', "Empty for the node's disk, or Memory."],
    sizeLimit: [2, '*Quantity', 'How large it may grow.'],
  },
  HostPathVolumeSource: {
    path: [1, 'string', 'The path on the node.'],
    type: [2, '*string', 'What has to be there, or is made.'],
  },
  ConfigMapVolumeSource: {
    localObjectReference: [1, '...LocalObjectReference', ''],
    items: [2, '[]KeyToPath', 'Which entries, and where; all unless given.'],
    defaultMode: [3, '*int32', 'Mode bits of the files.'],
    optional: [4, '*bool', 'Whether it may be missing.'],
  },
  SecretVolumeSource: {
    secretName: [1, 'string', 'The Secret.'],
    items: [2, '[]KeyToPath', 'Which entries, and where; all unless given.'],
    defaultMode: [3, '*int32', 'Mode bits of the files.'],
    optional: [4, '*bool', 'Whether it may be missing.'],
  },
  KeyToPath: {
    key: [1, 'string', 'The entry.'],
    path: [2, 'string', 'The file, below the volume.'],
    mode: [3, '*int32', 'Its mode bits.'],
  },
  DownwardAPIVolumeSource: {
    items: [1, '[]DownwardAPIVolumeFile', 'Which fields, and where.'],
    defaultMode: [2, '*int32', 'Mode bits of the files.'],
  },
  DownwardAPIVolumeFile: {
    path: [1, 'string', 'The file, below the volume.'],
    fieldRef: [2, '*ObjectFieldSelector', 'A field of the pod.'],
    resourceFieldRef: [3, '*ResourceFieldSelector', 'A resource of a container.'],
    mode: [4, '*int32', 'Its mode bits.'],
  },
  ProjectedVolumeSource: {
    sources: [1, '[]VolumeProjection', 'What is put together.'],
    defaultMode: [2, '*int32', 'Mode bits of the files.'],
  },
  VolumeProjection: {
    secret: [1, '*SecretProjection', 'Entries of a Secret.'],
    downwardAPI: [2, '*DownwardAPIProjection', 'Fields of the pod.'],
    configMap: [3, '*ConfigMapProjection', 'Entries of a ConfigMap.'],
    serviceAccountToken: [4, '*ServiceAccountTokenProjection', "A token of the pod's account."],
  },
  ConfigMapProjection: {
    localObjectReference: [1, '...LocalObjectReference', ''],
    items: [2, '[]KeyToPath', 'Which entries, and where.'],
    optional: [4, '*bool', 'Whether it may be missing.'],
  },
  SecretProjection: {
    localObjectReference: [1, '...LocalObjectReference', ''],
    items: [2, '[]KeyToPath', 'Which entries, and where.'],
    optional: [4, '*bool', 'Whether it may be missing.'],
  },
  DownwardAPIProjection: {
    items: [1, '[]DownwardAPIVolumeFile', 'Which fields, and where.'],
  },
  ServiceAccountTokenProjection: {
    audience: [1, 'string', 'For whom the token is.'],
    expirationSeconds: [2, '*int64', 'For how long it is.'],
    path: [3, 'string', 'The file, below the volume.'],
  },
} as const satisfies Messages
