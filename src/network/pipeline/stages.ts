/**
 * The pipeline, declared. From these tables come the flows, the documentation page, the words of `weft trace` and
 * `weft drops`, and the checks that every stage ends in a named drop.
 * @module
 */
import type { Subfield } from '../../flow/flow.ts'

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
  gateway: {
    table: 20,
    question: 'On whose behalf does the node’s own stack send it?',
    about: 'The node itself is global. A pod’s packet that comes back after address translation gets its tenant again.',
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
  route: {
    table: 70,
    question: 'Where does the destination live?',
    about: 'A pod here, the node itself, a pod on another node, or the world outside.',
  },
  node: {
    table: 75,
    question: 'May this reach the node’s own stack?',
    about: 'Everything but tunnel packets: a pod that could send those would be in every tenant.',
  },
  tenant: {
    table: 80,
    question: 'May these two tenants talk?',
    about: 'Equal VNIs may, and VNI 0 with everybody. Of a service it is the endpoint that counts.',
  },
  untranslate: {
    table: 90,
    question: 'Is it a service’s answer?',
    about:
      'Answers of a service’s endpoints get the service’s address back where the client is: on the node that chose the endpoint.',
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

/** A named place in the registers that travel with a packet. */
export interface Register extends Subfield {
  readonly about: string
}

/** What a packet carries from stage to stage. */
export const REGISTERS = {
  sourceVni: { field: 'reg0', offset: 0, bits: 32, about: 'VNI of the sender' },
  destinationVni: { field: 'reg1', offset: 0, bits: 32, about: 'VNI of the receiving pod' },
  destinationPort: { field: 'reg2', offset: 0, bits: 32, about: 'OpenFlow port of the receiving pod' },
  origin: { field: 'reg3', offset: 0, bits: 4, about: 'who handed the packet to the switch: 1 pod, 2 tunnel, 3 node' },
  turned: { field: 'reg3', offset: 17, bits: 1, about: 'goes back out of the port it came in by' },
  nodeAddress: { field: 'reg3', offset: 18, bits: 1, about: 'for an address of a node: its port may be a service’s' },
  oversize: { field: 'reg3', offset: 16, bits: 1, about: 'larger than the overlay’s MTU' },
} as const satisfies Record<string, Register>

/** Values of the `origin` register. */
export const ORIGIN = { pod: 1, tunnel: 2, gateway: 3 } as const

/** The ports every bridge has. Pods get numbers from {@link FIRST_ENDPOINT_PORT}. */
export const TUNNEL_PORT = 1
export const GATEWAY_PORT = 2
/** The agent gives out port numbers from here, so that OVS’s own choices (from 1 upwards) never meet them. */
export const FIRST_ENDPOINT_PORT = 0x1000
export const LAST_ENDPOINT_PORT = 0xefff

/** Ethertype of the frame that warms a tunnel up (IEEE 802 local experimental). It is dropped where it arrives. */
export const PROBE_ETHERTYPE = 0x88b5

/**
 * Zones of connection tracking. The datapath of the kernel shares its table with the node's own stack, which uses zone 0.
 * `service`: connections to services, on the client's node; `turn`: those of them that got another source address;
 * `proxy`: connections that kube-proxy translated; `hold`: no connections, where the first fragment of a datagram waits.
 */
export const ZONES = { service: 0x5701, turn: 0x5702, proxy: 0x5703, hold: 0x5704 } as const

/** Mark of connections that the node's own stack translated. */
export const TRANSLATED_BY_NODE = 1

/** Changes whenever the meaning of a table or register does; part of every cookie. */
export const PIPELINE_VERSION = 2
