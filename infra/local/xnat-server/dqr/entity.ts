import type { Xnat } from '../exchange.ts'

/** The columns a new row begins with. */
export function newEntity({ now }: Xnat, id: number) {
  const at = now().getTime()
  return { id, createdMs: at, changedMs: at }
}

/** A row's own columns as /xapi shows them (AbstractHibernateEntity.java). */
export function entityJson(row: { id: number; createdMs: number; changedMs: number }) {
  return { id: row.id, enabled: true, created: row.createdMs, timestamp: row.changedMs, disabled: 0 }
}
