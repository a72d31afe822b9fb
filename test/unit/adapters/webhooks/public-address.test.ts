import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../../shared/adapters/webhooks/public-address.ts';

describe('isPublicAddress', () => {
  it.each([
    ['this host', '0.0.0.0'],
    ['loopback', '127.0.0.1'],
    ['another loopback', '127.255.255.254'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['shared by carriers, and the metadata service of Alibaba', '100.100.100.200'],
    ['link-local, and the metadata service of most clouds', '169.254.169.254'],
    ['the platform of Azure', '168.63.129.16'],
    ['reserved, and the metadata service of Oracle', '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['benchmarking', '198.18.0.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['loopback in the form of IPv6', '::ffff:127.0.0.1'],
    ['link-local in the form of IPv6', '::ffff:a9fe:a9fe'],
    ['private in the form of IPv6', '::ffff:10.0.0.1'],
    ['private, in the old form', '::10.0.0.1'],
    ['link-local', 'fe80::1'],
    ['site-local', 'fec0::1'],
    ['unique local', 'fd00::1'],
    ['the metadata service of AWS', 'fd00:ec2::254'],
    ['multicast', 'ff02::1'],
    ['translated loopback', '64:ff9b::7f00:1'],
    ['translated, by a local prefix', '64:ff9b:1::a00:1'],
    ['a tunnel to loopback', '2002:7f00:1::'],
    ['a tunnel', '2001:0:7f00:1::'],
    ['documentation', '2001:db8::1'],
    ['a zone', 'fe80::1%eth0'],
    ['no address', 'localhost'],
    ['no address', ''],
    ['an address in octal', '0177.0.0.1'],
    ['an address as one number', '2130706433'],
  ])('refuses %s: %s', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['1.1.1.1', '52.96.0.1', '168.63.129.17', '172.32.0.1', '2603:1000::1', '2a00:1450:4001:81b::200e'])(
    'allows %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it('treats an IPv4 address in the form of IPv6 as what it is', () => {
    expect(isPublicAddress('::ffff:1.1.1.1')).toBe(true);
  });
});
