import { testLongScenario } from '../lab/testing.ts'
import { fixedAddresses } from './fixed-addresses.ts'

testLongScenario(fixedAddresses)
