import { testLongScenario } from '../lab/testing.ts'
import { bgp } from './bgp.ts'

testLongScenario(bgp)
