import { testScenario } from '../lab/testing.ts'
import { fixedAddresses } from './fixed-addresses.ts'

testScenario(fixedAddresses)
