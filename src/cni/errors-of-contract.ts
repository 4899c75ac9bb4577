/**
 * Those rows of the table of errors whose codes are the specification's and that stay until somebody does something.
 * @module
 */
import type { CniErrorRow } from './error-row.ts'

/** What the runtime sent is not a request. */
export const CONTRACT_ERRORS = {
  'incompatible-version': {
    code: 1,
    message: 'incompatible CNI versions: config is "{version}", plugin supports {supported}',
    remedy: 'set cniVersion in the network configuration to one of the supported versions',
  },
  'verb-needs-version': {
    code: 1,
    message: 'config version "{version}" does not allow {verb}: it exists since {since}',
    remedy: 'set cniVersion to {since} or newer, or do not call {verb} for this network',
  },
  'unsupported-field': {
    code: 2,
    message: 'unsupported field in the network configuration: {key} = {value}',
    remedy: 'remove {key} from the network configuration or give it a supported value',
  },
  'container-unknown': {
    code: 3,
    message: 'container {container} has no interface {ifname} on network {network}',
    remedy: 'nothing is left to clean up; call ADD first if the container should be attached',
  },
  'container-id-empty': {
    code: 3,
    message: 'CNI_CONTAINERID is empty',
    remedy: 'the container runtime must pass the identifier of the container',
  },
  'environment-missing': {
    code: 4,
    message: 'required env variables [{names}] missing',
    remedy: 'the container runtime must set these environment variables for {verb}',
  },
  'environment-invalid': {
    code: 4,
    message: 'invalid {name} "{value}": {expected}',
    remedy: 'the container runtime must pass a valid {name}',
  },
  'command-unknown': {
    code: 4,
    message: 'unknown CNI_COMMAND: {value}',
    remedy: 'use one of ADD, DEL, CHECK, GC, STATUS, VERSION',
  },
  'environment-too-large': {
    code: 4,
    message: 'the CNI_ environment variables are larger than {limit} bytes',
    remedy: 'shorten CNI_ARGS or CNI_PATH',
  },
  'input-unreadable': {
    code: 5,
    message: 'the network configuration could not be read from standard input',
    remedy: 'the container runtime must pass the network configuration on standard input, and end it',
  },
  'input-too-large': {
    code: 5,
    message: 'the request is larger than the limit of {limit} bytes',
    remedy: 'shorten the network configuration or the list of attachments',
  },
  'request-unsendable': {
    code: 5,
    message: 'the kernel has no room for a message of this size to the Weft agent',
    remedy: 'shorten the network configuration or the list of attachments, or raise net.core.wmem_max',
  },
  'input-not-json': {
    code: 6,
    message: 'the network configuration is not a JSON object: {reason}',
    remedy: 'correct the JSON of the network configuration',
  },
  'version-undecodable': {
    code: 6,
    message: 'cniVersion in the network configuration is not a string',
    remedy: 'write cniVersion as a string, for example "1.0.0"',
  },
  'config-invalid': {
    code: 7,
    message: 'invalid network configuration: {field}: {expected}',
    remedy: 'correct {field} in the network configuration',
  },
  'annotation-invalid': {
    code: 7,
    message: 'annotation {annotation} of the pod: {field}: {expected}',
    remedy: 'correct the annotation in what the pod is made from',
  },
  'namespace-annotation-invalid': {
    code: 7,
    message: 'annotation {annotation} of namespace {namespace}: {field}: {expected}',
    remedy: 'correct the annotation of the namespace',
  },
  'attachments-missing': {
    code: 7,
    message: 'GC without cni.dev/valid-attachments: nothing was removed',
    remedy: 'pass the list of valid attachments; an empty list removes every attachment of the network',
  },
  'previous-result-missing': {
    code: 7,
    message: '{verb} needs prevResult in the network configuration',
    remedy: 'the container runtime must pass the result of ADD as prevResult',
  },
  'netns-unusable': {
    code: 8,
    message: 'network namespace {netns} cannot be used: {reason}',
    remedy: 'check that the container still runs and that CNI_NETNS names its network namespace',
  },
  'netns-is-host': {
    code: 8,
    message: 'CNI_NETNS {netns} is the network namespace of the node itself',
    remedy: 'a pod in the network of its node needs no attachment: do not call the plugin for it',
  },
} as const satisfies Record<string, CniErrorRow>
