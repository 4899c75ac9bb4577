import { testLongScenario } from '../lab/testing.ts'
import { blocks } from './blocks.ts'

testLongScenario(blocks('direct'))
testLongScenario(blocks('bgp'))
