import { testLongScenario } from '../lab/testing.ts'
import { bgpOutside } from './bgp-outside.ts'

testLongScenario(bgpOutside)
