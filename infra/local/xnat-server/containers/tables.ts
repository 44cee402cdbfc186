import type { Change } from '../journal.ts'
import { Table } from '../table.ts'
import { Command, switchKey, Wrapper, WrapperSwitch } from './command.ts'

export type ContainerCounter = 'command' | 'wrapper'

export class ContainerTables {
  readonly commands: Table<Command>
  readonly wrappers: Table<Wrapper>
  readonly switches: Table<WrapperSwitch>

  constructor(save: (change: Change) => void) {
    const keyOf = ({ id }: { id: number }) => String(id)
    this.commands = new Table({ name: 'commands', schema: Command, keyOf }, save)
    this.wrappers = new Table(
      { name: 'wrappers', schema: Wrapper, keyOf, groupOf: ({ commandId }) => String(commandId) },
      save,
    )
    this.switches = new Table({ name: 'wrapperSwitches', schema: WrapperSwitch, keyOf: switchKey }, save)
  }

  all() {
    return [this.commands, this.wrappers, this.switches]
  }
}
