/**
 * Pods as they are.
 * @module
 */
import type { Messages } from './message.ts'

export const POD_STATUS_MESSAGES = {
  PodStatus: {
    phase: [1, 'string', 'Pending, Running, Succeeded, Failed or Unknown.'],
    conditions: [2, '[]PodCondition', 'What is true of it at the moment.', 'merge:type'],
    message: [3, 'string', 'Why, in words.'],
    reason: [4, 'string', 'Why, in one word.'],
    nominatedNodeName: [11, 'string', 'The node on which room is being made for it.'],
    hostIP: [5, 'string', 'The address of its node.'],
    hostIPs: [16, '[]HostIP', 'All addresses of its node.', 'merge:ip'],
    podIP: [6, 'string', 'Its address.'],
    podIPs: [12, '[]PodIP', 'Its addresses, one of each family.', 'merge:ip'],
    startTime: [7, '*Time', 'When its node took it on.'],
    initContainerStatuses: [10, '[]ContainerStatus', 'What its init containers do.'],
    containerStatuses: [8, '[]ContainerStatus', 'What its containers do.'],
    qosClass: [9, 'string', 'How it is treated when resources run short.'],
  },
  PodCondition: {
    type: [1, 'string', 'Such as Ready or PodScheduled.'],
    status: [2, 'string', 'True, False or Unknown.'],
    lastProbeTime: [3, 'Time', 'When it was last looked at.'],
    lastTransitionTime: [4, 'Time', 'Since when.'],
    reason: [5, 'string', 'Why, in one word.'],
    message: [6, 'string', 'Why, in words.'],
  },
  PodIP: {
    ip: [1, 'string', 'The address.'],
  },
  HostIP: {
    ip: [1, 'string', 'The address.'],
  },
  ContainerStatus: {
    name: [1, 'string', 'Which container.'],
    state: [2, 'ContainerState', 'What it does.'],
    lastState: [3, 'ContainerState', 'How it ended last time.'],
    ready: [4, 'bool', 'Whether its readiness probe succeeds.'],
    restartCount: [5, 'int32', 'How often it was started again.'],
    image: [6, 'string', 'What it runs.'],
    imageID: [7, 'string', 'Exactly what it runs.'],
    containerID: [8, 'string', "The runtime's name for it."],
    started: [9, '*bool', 'Whether its startup probe succeeded.'],
  },
  ContainerState: {
    waiting: [1, '*ContainerStateWaiting', 'It has not started.'],
    running: [2, '*ContainerStateRunning', 'It runs.'],
    terminated: [3, '*ContainerStateTerminated', 'It has ended.'],
  },
  ContainerStateWaiting: {
    reason: [1, 'string', 'Why, in one word.'],
    message: [2, 'string', 'Why, in words.'],
  },
  ContainerStateRunning: {
    startedAt: [1, 'Time', 'Since when.'],
  },
  ContainerStateTerminated: {
    exitCode: [1, 'int32', 'Its exit code.'],
    signal: [2, 'int32', 'The signal that ended it.'],
    reason: [3, 'string', 'Why, in one word.'],
    message: [4, 'string', 'Its last words.'],
    startedAt: [5, 'Time', 'When it started.'],
    finishedAt: [6, 'Time', 'When it ended.'],
    containerID: [7, 'string', "The runtime's name for it."],
  },
} as const satisfies Messages
