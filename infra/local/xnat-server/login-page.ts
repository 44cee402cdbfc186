import { documentReply, type Reply } from './reply.ts'

/** What a client that follows redirects ends up with: 200 and HTML, whatever it asked for. */
export function loginPage(): Reply {
  return documentReply(
    'text/html;charset=UTF-8',
    '<!DOCTYPE HTML>\n<html>\n<head><title>XNAT</title></head>\n<body>\n<!-- BEGIN xnat-templates/screens/Login.vm -->\n' +
      '<form name="form1" method="post" action="/login"><input name="username"><input name="password" type="password"></form>\n' +
      '<!-- END xnat-templates/screens/Login.vm -->\n</body>\n</html>\n',
  )
}
