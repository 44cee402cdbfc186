import type { Change } from '../journal.ts'
import { Table } from '../table.ts'
import { Delivery, EventPreferences, Subscription } from './records.ts'
import type { Trigger } from './triggers.ts'

export type EventCounter = 'subscription' | 'delivery'

export class EventTables {
  readonly subscriptions: Table<Subscription>
  readonly deliveries: Table<Delivery>
  readonly preferences: Table<{ enabled: boolean }>
  /** What has happened and not been looked at. Lost in a restart, as in XNAT. */
  readonly pending: Trigger[] = []

  constructor(save: (change: Change) => void) {
    const keyOf = ({ id }: { id: number }) => String(id)
    this.subscriptions = new Table({ name: 'eventSubscriptions', schema: Subscription, keyOf }, save)
    this.deliveries = new Table({ name: 'eventDeliveries', schema: Delivery, keyOf }, save)
    this.preferences = new Table({ name: 'eventPreferences', schema: EventPreferences, keyOf: () => 'site' }, save)
  }

  // XNAT: off until somebody turns it on (E:services/EventServicePrefsBean.java).
  get isEnabled(): boolean {
    return this.preferences.get('site')?.enabled ?? false
  }

  all() {
    return [this.subscriptions, this.deliveries, this.preferences]
  }
}
