/**
 * Domains of providers of personal mailboxes, in lower case. No tenant of Microsoft 365 can own one of them. The domains
 * of personal Microsoft accounts are not here: see `kernel/consumer-domains.ts`.
 *
 * They are listed one by one, because a pattern such as `yahoo.*` would also match domains that someone else owns. A
 * domain that a provider's own staff may use, such as `sky.com`, is not listed.
 */
const domains = `
  gmail.com googlemail.com
  yahoo.com yahoo.at yahoo.be yahoo.ca yahoo.ch yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.kr yahoo.co.nz yahoo.co.th
  yahoo.co.uk yahoo.co.za yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.co yahoo.com.hk yahoo.com.mx yahoo.com.my
  yahoo.com.pe yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn yahoo.cz yahoo.de yahoo.dk yahoo.es
  yahoo.fi yahoo.fr yahoo.gr yahoo.hu yahoo.ie yahoo.in yahoo.it yahoo.nl yahoo.no yahoo.pl yahoo.pt yahoo.ro yahoo.se
  ymail.com rocketmail.com
  aol.com aol.co.uk aol.de aol.fr aol.it aim.com
  icloud.com me.com mac.com
  gmx.at gmx.ch gmx.com gmx.de gmx.es gmx.fr gmx.net gmx.org gmx.us web.de mail.com email.com
  proton.me protonmail.ch protonmail.com pm.me tuta.com tuta.io tutamail.com tutanota.com tutanota.de
  fastmail.com fastmail.fm hushmail.com zohomail.com zohomail.eu mailbox.org posteo.de posteo.net
  arcor.de freenet.de t-online.de
  aon.at chello.at bluewin.ch hispeed.ch
  free.fr laposte.net neuf.fr orange.fr sfr.fr wanadoo.fr
  alice.it libero.it tin.it tiscali.it virgilio.it
  skynet.be telenet.be home.nl kpnmail.nl planet.nl ziggo.nl
  blueyonder.co.uk btinternet.com ntlworld.com talktalk.net
  att.net bellsouth.net charter.net comcast.net cox.net earthlink.net juno.com netzero.net optonline.net sbcglobal.net
  verizon.net shaw.ca sympatico.ca telus.net videotron.ca
  bigpond.com bigpond.net.au optusnet.com.au xtra.co.nz
  bol.com.br ig.com.br terra.com.br uol.com.br
  centrum.cz seznam.cz interia.pl o2.pl onet.pl op.pl poczta.onet.pl wp.pl abv.bg inbox.lv ukr.net
  bk.ru inbox.ru list.ru mail.ru rambler.ru ya.ru yandex.by yandex.com yandex.kz yandex.ru yandex.ua
  126.com 163.com foxmail.com qq.com sina.cn sina.com sohu.com yeah.net
  daum.net hanmail.net naver.com rediffmail.com
`;

const webmail: ReadonlySet<string> = new Set(domains.trim().split(/\s+/));

/** Whether a domain (in lower case) belongs to a provider of personal mailboxes. */
export function isWebmailDomain(domain: string): boolean {
  return webmail.has(domain);
}

/**
 * Domains of personal mailboxes that are often misspelled. Short names are left out: one edit away from `gmx.com` there
 * are companies.
 */
export const misspelledDomains: readonly string[] = [
  'gmail.com',
  'googlemail.com',
  'hotmail.com',
  'icloud.com',
  'outlook.com',
  'protonmail.com',
  'yahoo.com',
];
