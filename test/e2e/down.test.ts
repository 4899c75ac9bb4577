import { testLongScenario } from '../lab/testing.ts'
import { down } from './down.ts'

testLongScenario(down)
