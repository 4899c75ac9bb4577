/**
 * Containers: what runs, with which environment, and how it is probed.
 * @module
 */
import type { Messages } from './message.ts'

export const CONTAINER_MESSAGES = {
  Container: {
    name: [1, 'string', 'Its name, unique in the pod.'],
    image: [2, 'string', 'What it runs.'],
    command: [3, '[]string', "The program and its first arguments, in place of the image's."],
    args: [4, '[]string', "Arguments, in place of the image's."],
    workingDir: [5, 'string', 'Where it starts.'],
    ports: [6, '[]ContainerPort', 'What it listens on; for people and for named ports.', 'merge:containerPort'],
    envFrom: [19, '[]EnvFromSource', 'Where whole sets of variables come from.'],
    env: [7, '[]EnvVar', 'Its environment variables.', 'merge:name'],
    resources: [8, 'ResourceRequirements', 'What it may use and what it needs.'],
    restartPolicy: [24, '*string', 'Always makes an init container run beside the others.'],
    volumeMounts: [9, '[]VolumeMount', 'Which volumes it sees, and where.', 'merge:mountPath'],
    livenessProbe: [10, '*Probe', 'When it fails, the container is restarted.'],
    readinessProbe: [11, '*Probe', 'While it fails, services leave the pod out.'],
    startupProbe: [22, '*Probe', 'Until it succeeds, the other probes wait.'],
    lifecycle: [12, '*Lifecycle', 'What is done after its start and before its end.'],
    terminationMessagePath: [13, 'string', 'The file whose text becomes the last word of a container that ended.'],
    terminationMessagePolicy: [
      20,
      'string',
      'Whether its last words may come from its log: File or FallbackToLogsOnError.',
    ],
    imagePullPolicy: [14, 'string', 'Always, IfNotPresent or Never.'],
    securityContext: [15, '*SecurityContext', 'Privileges of its processes.'],
    stdin: [16, 'bool', 'Whether it keeps a standard input.'],
    stdinOnce: [17, 'bool', "Whether its input ends with the first client's."],
    tty: [18, 'bool', 'Whether it has a terminal.'],
  },
  ContainerPort: {
    name: [1, 'string', 'A name that services can refer to.'],
    hostPort: [2, 'int32', 'The port of the node that leads here.'],
    containerPort: [3, 'int32', 'The port in the pod.'],
    protocol: [4, 'string', 'TCP, UDP or SCTP.'],
    hostIP: [5, 'string', 'The address of the node for hostPort.'],
  },
  EnvVar: {
    name: [1, 'string', 'The variable.'],
    value: [2, 'string', 'Its text; $(NAME) stands for another variable.'],
    valueFrom: [3, '*EnvVarSource', 'Where its text comes from.'],
  },
  EnvVarSource: {
    fieldRef: [1, '*ObjectFieldSelector', 'A field of the pod.'],
    resourceFieldRef: [2, '*ResourceFieldSelector', 'A resource of a container.'],
    configMapKeyRef: [3, '*ConfigMapKeySelector', 'An entry of a ConfigMap.'],
    secretKeyRef: [4, '*SecretKeySelector', 'An entry of a Secret.'],
  },
  ConfigMapKeySelector: {
    localObjectReference: [1, '...LocalObjectReference', ''],
    key: [2, 'string', 'The entry.'],
    optional: [3, '*bool', 'Whether it may be missing.'],
  },
  SecretKeySelector: {
    localObjectReference: [1, '...LocalObjectReference', ''],
    key: [2, 'string', 'The entry.'],
    optional: [3, '*bool', 'Whether it may be missing.'],
  },
  ObjectFieldSelector: {
    apiVersion: [1, 'string', 'The version in which the path is written.'],
    fieldPath: [2, 'string', 'The path, such as status.podIP.'],
  },
  ResourceFieldSelector: {
    containerName: [1, 'string', 'Whose.'],
    resource: [2, 'string', 'Which, such as limits.cpu.'],
    divisor: [3, 'Quantity', 'In which unit.'],
  },
  EnvFromSource: {
    prefix: [1, 'string', 'Put before every name.'],
    configMapRef: [2, '*ConfigMapEnvSource', 'All entries of a ConfigMap.'],
    secretRef: [3, '*SecretEnvSource', 'All entries of a Secret.'],
  },
  ConfigMapEnvSource: {
    localObjectReference: [1, '...LocalObjectReference', ''],
    optional: [2, '*bool', 'Whether it may be missing.'],
  },
  SecretEnvSource: {
    localObjectReference: [1, '...LocalObjectReference', ''],
    optional: [2, '*bool', 'Whether it may be missing.'],
  },
  ResourceRequirements: {
    limits: [1, '{}Quantity', 'The most it may use.'],
    requests: [2, '{}Quantity', 'What it has to get.'],
  },
  VolumeMount: {
    name: [1, 'string', 'Which volume.'],
    readOnly: [2, 'bool', 'Whether it can only be read.'],
    recursiveReadOnly: [7, '*string', 'Whether what is mounted below can only be read too.'],
    mountPath: [3, 'string', 'Where the container sees it.'],
    subPath: [4, 'string', 'The part of the volume that is mounted.'],
    mountPropagation: [5, '*string', 'Whether mounts made on one side show on the other.'],
    subPathExpr: [6, 'string', 'The part of the volume, with variables in it.'],
  },
  Probe: {
    handler: [1, '...ProbeHandler', ''],
    initialDelaySeconds: [2, 'int32', 'Seconds before the first probe.'],
    timeoutSeconds: [3, 'int32', 'Seconds after which a probe has failed.'],
    periodSeconds: [4, 'int32', 'Seconds between probes.'],
    successThreshold: [5, 'int32', 'Successes in a row that count as one.'],
    failureThreshold: [6, 'int32', 'Failures in a row that count as one.'],
    terminationGracePeriodSeconds: [7, '*int64', 'Seconds given to end after it failed.'],
  },
  ProbeHandler: {
    exec: [1, '*ExecAction', 'A command that ends with 0.'],
    httpGet: [2, '*HTTPGetAction', 'A request that is answered with 200 to 399.'],
    tcpSocket: [3, '*TCPSocketAction', 'A port that accepts a connection.'],
    grpc: [4, '*GRPCAction', 'A gRPC health check.'],
  },
  ExecAction: {
    command: [1, '[]string', 'The program and its arguments; no shell.'],
  },
  HTTPGetAction: {
    path: [1, 'string', 'The path.'],
    port: [2, 'IntOrString', "A port's number or name."],
    host: [3, 'string', 'The host; the pod unless given.'],
    scheme: [4, 'string', 'HTTP or HTTPS.'],
    httpHeaders: [5, '[]HTTPHeader', 'Headers to send.'],
  },
  HTTPHeader: {
    name: [1, 'string', 'The header.'],
    value: [2, 'string', 'Its text.'],
  },
  TCPSocketAction: {
    port: [1, 'IntOrString', "A port's number or name."],
    host: [2, 'string', 'The host; the pod unless given.'],
  },
  GRPCAction: {
    port: [1, 'int32', "The port's number."],
    service: [2, '*string', 'The service that is asked about.'],
  },
  Lifecycle: {
    postStart: [1, '*LifecycleHandler', 'Done when the container has started.'],
    preStop: [2, '*LifecycleHandler', 'Done before the container is stopped.'],
  },
  LifecycleHandler: {
    exec: [1, '*ExecAction', 'A command.'],
    httpGet: [2, '*HTTPGetAction', 'A request.'],
    tcpSocket: [3, '*TCPSocketAction', 'Without effect.'],
    sleep: [4, '*SleepAction', 'A pause.'],
  },
  SleepAction: {
    seconds: [1, 'int64', 'How long.'],
  },
  SecurityContext: {
    capabilities: [1, '*Capabilities', 'Capabilities to add and to drop.'],
    privileged: [2, '*bool', 'Whether it may do what root of the node may.'],
    seLinuxOptions: [3, '*Any', 'Its SELinux labels.'],
    runAsUser: [4, '*int64', "The user's number."],
    runAsGroup: [8, '*int64', "The group's number."],
    runAsNonRoot: [5, '*bool', 'Whether root is refused.'],
    readOnlyRootFilesystem: [6, '*bool', 'Whether its root file system can only be read.'],
    allowPrivilegeEscalation: [7, '*bool', 'Whether a process may gain more than its parent has.'],
    procMount: [9, '*string', 'How /proc is shown.'],
    seccompProfile: [11, '*Any', 'The filter of its system calls.'],
    appArmorProfile: [12, '*Any', 'Its AppArmor profile.'],
  },
  Capabilities: {
    add: [1, '[]string', 'To add, such as NET_ADMIN.'],
    drop: [2, '[]string', 'To drop, or ALL.'],
  },
} as const satisfies Messages
