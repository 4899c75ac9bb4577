/** Action types of OpenFlow 1.3 to 1.5. */
export const OFPAT = {
  output: 0,
  push_vlan: 17,
  pop_vlan: 18,
  group: 22,
  dec_nw_ttl: 24,
  set_field: 25,
  copy_field: 28,
  meter: 29,
  experimenter: 0xffff,
} as const

/** Nicira's experimenter number. */
export const NICIRA = 0x00002320

/** Subtypes of Nicira's actions. */
export const NXAST = {
  reg_move: 6,
  reg_load: 7,
  note: 8,
  resubmit_table: 14,
  output_reg: 15,
  dec_ttl: 18,
  controller: 20,
  output_reg2: 32,
  reg_load2: 33,
  conjunction: 34,
  ct: 35,
  nat: 36,
  controller2: 37,
  output_trunc: 39,
  clone: 42,
  ct_clear: 43,
  resubmit_table_ct: 44,
  check_pkt_larger: 49,
} as const

/** Instruction types. */
export const OFPIT = { goto_table: 1, apply_actions: 4, meter: 6 } as const

/** Properties of the controller2 action. */
export const NXAC2 = { max_len: 0, controller_id: 1, reason: 2, userdata: 3, pause: 4, meter_id: 5 } as const

/** Versions on the wire. */
export const OPENFLOW_13 = 4
export const OPENFLOW_14 = 5
export const OPENFLOW_15 = 6
