import { escapeXml } from './query.ts'
import type { User } from './records.ts'
import { documentReply, type Reply } from './reply.ts'

/** The site's first page, by which some clients tell who they are (xnat-templates/navigations/DefaultTop.vm). */
export function homePage(user: User | undefined): Reply {
  const who =
    user === undefined
      ? '<span style="color:red;">Guest</span>'
      : `&nbsp;<a id="username-link" href="/app/template/XDATScreen_UpdateUser.vm">${escapeXml(user.username)}</a>`
  return documentReply(
    'text/html;charset=UTF-8',
    '<!DOCTYPE HTML>\n<html>\n<head><title>XNAT</title></head>\n<body>\n' +
      `<span id="user_info">Logged in as: ${who}</span>\n</body>\n</html>\n`,
  )
}
