// DQR's own exceptions, with the status of their class (D:exceptions).
import type { HttpFailure } from '../http-failure.ts'
import { requestFailure } from '../xapi.ts'

export function pacsNotFound(): HttpFailure {
  return requestFailure(404, 'null')
}

export function pacsNotQueryable(pacsId: number): HttpFailure {
  return requestFailure(409, `PACS ${pacsId} is not queryable`)
}
