import { testLongScenario } from '../lab/testing.ts'
import { tunnels } from './tunnels.ts'

testLongScenario(tunnels)
