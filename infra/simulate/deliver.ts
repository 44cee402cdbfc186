// The second half of the way: one FIFO group for each XNAT resource, and so many runs of deliver-files at a time.
import { PriorityQueue } from './priority-queue.ts'
import type { Order } from './route.ts'
import { Timeline } from './timeline.ts'
import { WaitingLine } from './waiting-line.ts'

export interface Delivering {
  concurrency: number
  runSeconds: (order: Order) => number
}

export interface Delivery extends Order {
  startedAt: number
  /** When XNAT was proved to have all of its files. */
  endedAt: number
}

/** Takes the orders in the order in which they were sent, and gives them in the order in which they ended. */
export function deliver(orders: readonly Order[], { concurrency, runSeconds }: Delivering): Delivery[] {
  const time = new Timeline()
  const ended: Delivery[] = []
  /** Resources that have an order due or under way, with those that have to wait for it. */
  const groups = new Map<number, WaitingLine<number>>()
  /** The oldest order of each resource that has none under way, by its place among all. */
  const due = new PriorityQueue<number>()
  let freeRuns = concurrency

  const startDue = () => {
    while (freeRuns > 0) {
      const order = orders[due.takeFirst()?.item ?? orders.length]
      if (order === undefined) return
      freeRuns -= 1
      const startedAt = time.now
      time.after(runSeconds(order), () => end(order, startedAt))
    }
  }
  const end = (order: Order, startedAt: number) => {
    ended.push({ ...order, startedAt, endedAt: time.now })
    freeRuns += 1
    const [next] = groups.get(order.resource)?.take(1) ?? []
    if (next === undefined) groups.delete(order.resource)
    else due.add(next, next)
    startDue()
  }
  const send = (place: number, { resource }: Order) => {
    const group = groups.get(resource)
    if (group !== undefined) {
      group.join(place)
      return
    }
    groups.set(resource, new WaitingLine())
    due.add(place, place)
    startDue()
  }

  orders.forEach((order, place) => {
    time.at(order.sentAt, () => send(place, order))
  })
  time.run()
  return ended
}
