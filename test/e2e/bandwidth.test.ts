import { testLongScenario } from '../lab/testing.ts'
import { bandwidth } from './bandwidth.ts'

testLongScenario(bandwidth)
