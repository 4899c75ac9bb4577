/**
 * The pipeline, declared. From these tables come the flows, the documentation page, the words of `weft trace` and
 * `weft drops`, and the checks that every stage ends in a named drop.
 * @module
 */
import type { Subfield } from '../../flow/flow.ts'
import type { Mac } from '../model/address.ts'

/** A table of the switch and the question it answers. Table numbers leave room between them for stages to come. */
export interface Stage {
  readonly table: number
  readonly question: string
  readonly about: string
}

/** The stages in the order in which a packet meets them. */
export const STAGES = {
  classify: {
    table: 0,
    question: 'Who sent it?',
    about: 'Tells tunnel, node and pods apart by the port a packet came in on, and loads the tenant of a pod.',
  },
  tunnel: {
    table: 10,
    question: 'Did a node of ours send it, and for its own pods?',
    about:
      'Accepts packets from known nodes only, with an inner source of that node’s ranges; the VNI becomes the tenant. A node without a ready agent may be another plugin’s: its ARP requests are answered.',
  },
  probe: {
    table: 11,
    question: 'Does a node of ours ask whether packets reach this one?',
    about:
      'The switch sends a question back to where it came from, also while the agent is away. What comes back goes to the agent, which asked.',
  },
  direct: {
    table: 12,
    question: 'Did a node of ours send it without a tunnel, and for its own pods?',
    about:
      'What the node’s stack lets in of other nodes’ pods, with a source of those nodes’ ranges. Of which tenant it is was judged where it came from.',
  },
  gateway: {
    table: 20,
    question: 'On whose behalf does the node’s own stack send it?',
    about:
      'The node itself is global. A pod’s packet that comes back after address translation gets its tenant again. Pods on the physical network come this way, too: the address that the node sends to says of which tenant they are.',
  },
  guard: {
    table: 30,
    question: 'Is the sender who it says?',
    about: 'A pod’s MAC, ARP and IP source addresses must be its own. Whatever is neither ARP nor IP ends here.',
  },
  manners: {
    table: 40,
    question: 'May a pod say this?',
    about:
      'Router advertisements, redirects and DHCP replies are for routers and servers; neighbour messages must be true.',
  },
  neighbour: {
    table: 50,
    question: 'Which MAC address has this neighbour?',
    about:
      'The switch answers ARP and neighbour solicitations itself, with its own address: none of them reaches a pod.',
  },
  advertise: {
    table: 51,
    question: 'Which MAC address has this neighbour? (IPv6, second half)',
    about: 'Completes a neighbour advertisement: OVS can set its link-layer option only once the message is one.',
  },
  translate: {
    table: 60,
    question: 'Is it for a service?',
    about:
      'Sends what is addressed to a service through connection tracking: packets of a known connection get the address of its endpoint there.',
  },
  balance: {
    table: 61,
    question: 'Which endpoint of the service?',
    about: 'The first packet of a connection chooses one of the service’s endpoints; the rest follow it.',
  },
  turn: {
    table: 65,
    question: 'Does it come back to where it was sent?',
    about:
      'A pod that is its own endpoint, and the node when the endpoint is outside the pod networks, would not take packets from their own address: these get another source.',
  },
  track: {
    table: 66,
    question: 'Which connection is it of?',
    about:
      'Every IP packet passes connection tracking once, here, unless it did for a service. Answers of a service’s endpoints get the service’s address back.',
  },
  sender: {
    table: 67,
    question: 'Is it an answer, and do policies speak of its sender?',
    about:
      'Answers of connections that were allowed pass all policies. A connection of a pod that policies speak of goes to them with the number of the pod’s class: the set of policies that it is subject to.',
  },
  egressAdmin: {
    table: 68,
    question: 'Do the cluster’s own policies decide about its sender?',
    about:
      'The ordered rules of the admin tier. What none of them decides, or one passes on, goes on to the namespace’s.',
  },
  egress: {
    table: 69,
    question: 'May its sender open this connection?',
    about:
      'A pod that policies isolate may do what one of their rules allows. Calico’s policies have ordered rules, which allow, deny or pass on.',
  },
  egressBaseline: {
    table: 70,
    question: 'What do the cluster’s own policies say if nobody else says anything about its sender?',
    about: 'The ordered rules of the baseline tier, for pods that no policy isolates and for what a rule passed on.',
  },
  route: {
    table: 71,
    question: 'Where does the destination live?',
    about: 'A pod here, the node itself, a pod on another node, or the world outside.',
  },
  node: {
    table: 75,
    question: 'May this reach the node’s own stack?',
    about: 'Everything but tunnel packets: a pod that could send those would be in every tenant.',
  },
  firewall: {
    table: 76,
    question: 'Does its namespace have an egress firewall?',
    about: 'Connections of pods that leave the cluster, with the number of the firewall of their namespace.',
  },
  firewallRules: {
    table: 77,
    question: 'May its namespace connect to this outside?',
    about:
      'The ordered rules of each egress firewall: the first that matches decides, and what none matches may leave.',
  },
  remote: {
    table: 78,
    question: 'Whose is the pod on the other node?',
    about:
      'For packets that leave without a tunnel: nothing in them says of which tenant they are, so it is judged here. Answers pass to pods that are too new to be known.',
  },
  tenant: {
    table: 80,
    question: 'May these two tenants talk?',
    about: 'Equal VNIs may, and VNI 0 with everybody. Of a service it is the endpoint that counts.',
  },
  receiver: {
    table: 85,
    question: 'Do policies speak of its receiver?',
    about:
      'Answers pass, and so does what a node sends to its own pods and a pod to itself. Everything else for a pod that policies speak of goes to them with the number of its class. What leaves by the node passes here, too: it may be for a pod of this node on the physical network.',
  },
  ingressAdmin: {
    table: 86,
    question: 'Do the cluster’s own policies decide about its receiver?',
    about: 'As for senders.',
  },
  ingress: {
    table: 87,
    question: 'May its receiver take this connection?',
    about: 'As for senders.',
  },
  ingressBaseline: {
    table: 88,
    question: 'What do the cluster’s own policies say if nobody else says anything about its receiver?',
    about: 'As for senders.',
  },
  commit: {
    table: 90,
    question: 'Is it the first packet of its connection?',
    about:
      'Remembers connections that are allowed, marked as such: their answers pass. Where policies change their mind about a connection, its next packet takes the mark away.',
  },
  giveback: {
    table: 95,
    question: 'Did kube-proxy translate this connection?',
    about:
      'With kube-proxy on the node, answers go back to the node’s stack, which gives them the service’s address. The client keeps its own address all the way.',
  },
  fit: {
    table: 100,
    question: 'Does it fit through the tunnel?',
    about: 'What is larger than the overlay’s MTU goes to the agent, which answers the sender with “too big”.',
  },
  deliver: {
    table: 110,
    question: 'Out of which port?',
    about: 'Hands the packet to the pod.',
  },
} as const satisfies Record<string, Stage>

/** The name of a stage. */
export type StageName = keyof typeof STAGES

/** The stages that policies fill: their rows mean something together only. */
export const POLICY_STAGES = [
  'sender',
  'egressAdmin',
  'egress',
  'egressBaseline',
  'firewall',
  'firewallRules',
  'receiver',
  'ingressAdmin',
  'ingress',
  'ingressBaseline',
] as const satisfies readonly StageName[]

/** A named place in the registers that travel with a packet. */
export interface Register extends Subfield {
  readonly about: string
}

/** What a packet carries from stage to stage. */
export const REGISTERS = {
  sourceVni: { field: 'reg0', offset: 0, bits: 32, about: 'VNI of the sender' },
  destinationVni: { field: 'reg1', offset: 0, bits: 32, about: 'VNI of the receiving pod' },
  destinationPort: { field: 'reg2', offset: 0, bits: 32, about: 'OpenFlow port of the receiving pod' },
  origin: {
    field: 'reg3',
    offset: 0,
    bits: 4,
    about: 'who handed the packet to the switch: 1 pod, 2 another node, 3 node',
  },
  turned: { field: 'reg3', offset: 17, bits: 1, about: 'goes back out of the port it came in by' },
  nodeAddress: { field: 'reg3', offset: 18, bits: 1, about: 'for an address of a node: its port may be a service’s' },
  fromOutside: {
    field: 'reg3',
    offset: 19,
    bits: 1,
    about:
      'came by a node port, for a service that routers are told of, or of a pod on the physical network: not the node’s own, though it has its address',
  },
  byNode: {
    field: 'reg3',
    offset: 20,
    bits: 1,
    about: 'a pod’s, back from the node’s stack, which may have translated it',
  },
  guest: {
    field: 'reg3',
    offset: 21,
    bits: 1,
    about: 'of a pod on the physical network, by way of its node: of its own tenant, with the node’s address',
  },
  policyClass: { field: 'reg5', offset: 0, bits: 32, about: 'which policies the pod in question is subject to' },
  spare: { field: 'reg7', offset: 0, bits: 32, about: 'always zero: tells rows apart that would be the same' },
  oversize: { field: 'reg3', offset: 16, bits: 1, about: 'larger than the overlay’s MTU' },
} as const satisfies Record<string, Register>

/** Values of the `origin` register. */
export const ORIGIN = { pod: 1, tunnel: 2, gateway: 3 } as const

/** The bridge's own ports. Pods get numbers from {@link FIRST_ENDPOINT_PORT}. */
export const TUNNEL_PORT = 1
export const GATEWAY_PORT = 2
/** To and from other nodes' pods without a tunnel, by the node's stack; there where the fabric has such ways. */
export const DIRECT_PORT = 3
/** The agent gives out port numbers from here, so that OVS’s own choices (from 1 upwards) never meet them. */
export const FIRST_ENDPOINT_PORT = 0x1000
export const LAST_ENDPOINT_PORT = 0xefff

/** Ethertype of the frames that ask whether a tunnel carries (IEEE 802 local experimental). */
export const PROBE_ETHERTYPE = 0x88b5
/** Who such a frame is for says what it is: a question is answered by the switch that it reaches, an answer goes to the agent. */
export const PROBE = {
  sender: '02:57:45:46:54:00' as Mac,
  question: '02:57:45:46:54:01' as Mac,
  answer: '02:57:45:46:54:02' as Mac,
} as const

/**
 * Zones of connection tracking. The datapath of the kernel shares its table with the node's own stack, which uses zone 0.
 * `service`: every connection, those to services on the client's node under the service's address; `turn`: those of them
 * that got another source address; `proxy`: every connection where kube-proxy translates; `hold`: no connections, where
 * the first fragment of a datagram waits.
 */
export const ZONES = { service: 0x5701, turn: 0x5702, proxy: 0x5703, hold: 0x5704 } as const

/** In the label of a connection: it was allowed here, and its answers are. */
export const ALLOWED_LABEL = { value: 1n, mask: 1n } as const

/** Mark of connections that the node's own stack translated. */
export const TRANSLATED_BY_NODE = 1

/** Changes whenever the meaning of a table or register does; part of every cookie. */
export const PIPELINE_VERSION = 4
