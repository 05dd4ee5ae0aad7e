// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * A faulty offload, for the lab: of what is inside IP-in-IP or VXLAN the TCP or UDP checksum that was left
 * to the network card comes out wrong.
 *
 *   fault_note    clsact ingress of the router's ports: marks tunnel packets whose inner checksum is
 *                 not finished. It must be here: where the router forwards, its kernel finishes them.
 *   fault_spoil   clsact egress of the device through which packets of a faulty way are led aside (see
 *                 src/lab/fault): spoils what was marked. That device offers no offloads, so the kernel
 *                 cuts super-packets and finishes checksums behind this program, and they stay wrong.
 *
 * Until somebody finishes it, the field holds the sum of the pseudo-header, not inverted (Linux:
 * CHECKSUM_PARTIAL). That is how it is told from a checksum that software has made. IPv4 only.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Bits of the mark, as src/lab/fault/marks.ts has them. */
#define MARK_BAD_CHECKSUM 0x20000
#define MARK_SPOILED 0x40000
#define MARK_UNFINISHED 0x80000

#define VXLAN_PORT 4789
#define VXLAN_LEN 8

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Where the inner IPv4 header is; 0 if this is no tunnel packet that we know. */
static __always_inline __u32 inner_offset(struct __sk_buff *skb)
{
	__u32 offset = ETH_HLEN;
	struct udphdr udp;
	struct iphdr outer;

	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes(skb, offset, &outer, sizeof(outer)) || outer.ihl != 5)
		return 0;
	offset += sizeof(outer);
	if (outer.protocol == IPPROTO_IPIP)
		return offset;
	if (outer.protocol != IPPROTO_UDP || bpf_skb_load_bytes(skb, offset, &udp, sizeof(udp)) ||
	    udp.dest != bpf_htons(VXLAN_PORT))
		return 0;
	return offset + sizeof(udp) + VXLAN_LEN + ETH_HLEN;
}

/* Where the inner checksum is; 0 if there is none. */
static __always_inline __u32 find_checksum(struct __sk_buff *skb, struct iphdr *inner)
{
	__u32 offset = inner_offset(skb);

	if (!offset || bpf_skb_load_bytes(skb, offset, inner, sizeof(*inner)) ||
	    inner->version != 4 || inner->ihl != 5)
		return 0;
	offset += sizeof(*inner);
	if (inner->protocol == IPPROTO_TCP)
		return offset + __builtin_offsetof(struct tcphdr, check);
	if (inner->protocol == IPPROTO_UDP)
		return offset + __builtin_offsetof(struct udphdr, check);
	return 0;
}

SEC("tc")
int fault_note(struct __sk_buff *skb)
{
	__u32 field, length, sum;
	struct iphdr inner;
	__be32 pseudo[3];
	__u16 check;

	field = find_checksum(skb, &inner);
	if (!field || bpf_skb_load_bytes(skb, field, &check, sizeof(check)))
		return TC_ACT_UNSPEC;
	/* A super-packet beyond 64 KB says 0: not looked at. */
	length = bpf_ntohs(inner.tot_len) - sizeof(inner);
	pseudo[0] = inner.saddr;
	pseudo[1] = inner.daddr;
	pseudo[2] = bpf_htonl(length + inner.protocol);
	sum = bpf_csum_diff(0, 0, pseudo, sizeof(pseudo), 0);
	if (check == fold(sum))
		skb->mark |= MARK_UNFINISHED;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int fault_spoil(struct __sk_buff *skb)
{
	const __u32 wanted = MARK_BAD_CHECKSUM | MARK_UNFINISHED;
	struct iphdr inner;
	__u32 field;
	__u16 check;

	if ((skb->mark & wanted) != wanted)
		return TC_ACT_OK;
	field = find_checksum(skb, &inner);
	if (!field || bpf_skb_load_bytes(skb, field, &check, sizeof(check)))
		return TC_ACT_OK;
	check ^= 0x5555;
	if (bpf_skb_store_bytes(skb, field, &check, sizeof(check), 0))
		return TC_ACT_SHOT;
	skb->mark |= MARK_SPOILED;
	return TC_ACT_OK;
}

/* Tells the kernel that helpers reserved for GPL-compatible programs may be used. */
char _license[] SEC("license") = "GPL";
