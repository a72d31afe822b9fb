import ipaddr from 'ipaddr.js';

/**
 * Azure's platform answers at this public address, from inside a virtual machine only. Metadata services of other clouds
 * have link-local, unique local or shared addresses, which are not public.
 * https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
 */
const PLATFORM = '168.63.129.16';
/** The only addresses of IPv6 that are routed on the internet. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');

/**
 * Whether an IP address is on the public internet: not private, loopback, link-local, multicast, reserved or a tunnel to
 * any of those. An IPv4 address in the form of IPv6 counts as what it is.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast' || address.toString() === PLATFORM) return false;
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(GLOBAL_UNICAST as [ipaddr.IPv6, number]);
}
