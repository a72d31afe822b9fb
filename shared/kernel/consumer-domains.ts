/**
 * Domains of personal Microsoft accounts. They are listed one by one, because a pattern such as `live.*` would also
 * match companies, for example `live.io`.
 */
const endings: Record<string, string> = {
  outlook:
    'com at be bg cl cn.com co.id co.il co.nz co.th com.ar com.au com.br com.es com.gr com.hr com.pe com.py com.tr com.tw com.ua com.vn cz de dk ec es fr hu ie in it jp kr la lt lv mx my ph pk pt ro rs sa sg si sk uy',
  hotmail:
    'com ac at be bg ca ch cl cn co co.at co.id co.il co.in co.jp co.kr co.nz co.th co.ug co.uk co.ve co.za com.ar com.au com.bo com.br com.co com.do com.hk com.hr com.kw com.mx com.my com.pe com.ph com.sg com.tr com.tt com.tw com.ve com.vn cz de dk ee es fi fr gr hk hu ie in is it jp kg kz la li lt lu lv mn my net.fj nl no ph pt pw ro rs se sg sh sk tv ua uy',
  live: 'com at be bg ca cl cn co.hu co.in co.kr co.uk co.za com.ar com.au com.co com.mx com.my com.pe com.ph com.pk com.pt com.sg com.ve de dk eu fi fr hk ie in it jp lu nl no ph ru se sg',
  msn: 'com cn co.uk fr it nl',
  windowslive: 'com es',
  passport: 'com net',
};

const domains: ReadonlySet<string> = new Set(
  Object.entries(endings).flatMap(([name, list]) => list.split(' ').map((ending) => `${name}.${ending}`)),
);

/** Whether a domain (in lower case) is for personal Microsoft accounts, which are in no tenant. */
export function isConsumerDomain(domain: string): boolean {
  return domains.has(domain);
}
