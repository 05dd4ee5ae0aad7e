// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * IP-in-IP (RFC 2003) for a kernel without the ipip module: two tc classifiers that turn an `ifb`
 * device named tunl0 into a tunnel on the wire-format of the kernel's own.
 *
 *   ipip_encap   clsact egress of tunl0: inner destination -> node by longest prefix, outer IPv4
 *                header, out through the uplink (route and neighbour of the outer destination).
 *   ipip_decap   clsact ingress of the uplink: protocol 4 for our address from a known node, outer
 *                header off, in again through tunl0.
 *
 * Both share the maps below. The maps live as long as a filter holds one of the programs, so that
 * the process that filled them may die; nothing is pinned.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Meaning of the maps. The loader adopts running maps of this layout only: change it with them. */
#define IPIP_LAYOUT 1

#define IPIP_ACCEPT 1U /* decapsulate; otherwise protocol 4 for our address is dropped */
/* Bit 1 (value 2) belongs to the loader: it has made the uplink's clsact qdisc. */

struct ipip_config {
	__u32 layout; /* 0 until the loader has filled the maps */
	__be32 local; /* outer source, and outer destination to accept */
	__u32 uplink; /* ifindex */
	__u32 tunnel; /* ifindex */
	__u32 flags;
	__u8 tunnel_mac[ETH_ALEN];
	__u8 unused[2];
};

struct ipip_prefix {
	__u32 length;
	__be32 address;
};

enum ipip_counter {
	COUNT_ENCAPSULATED,
	COUNT_DECAPSULATED,
	COUNT_NO_DESTINATION,
	COUNT_UNKNOWN_SENDER,
	COUNT_NOT_ACCEPTED,
	COUNT_NOT_IPV4,
	COUNT_ERRORS,
	COUNT_MAX,
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipip_config);
} ipip_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct ipip_prefix);
	__type(value, __be32);
} ipip_dests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 16);
	__type(key, __be32);
	__type(value, __u32);
} ipip_senders SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} ipip_counters SEC(".maps");

#define OUTER_LEN ((int)sizeof(struct iphdr))
#define IP_DF 0x4000
#define IP_FRAGMENT 0x3fff /* MF and the offset */
#define ECN_MASK 3
#define ECN_ECT_1 1
#define ECN_ECT_0 2
#define ECN_CE 3

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&ipip_counters, &counter);

	if (value)
		(*value)++;
}

static __always_inline int drop(__u32 counter)
{
	count(counter);
	return TC_ACT_SHOT;
}

/* The IPv4 header behind the Ethernet header if `length` bytes from there on can be read directly. */
static __always_inline struct iphdr *ipv4(struct __sk_buff *skb, int length)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;

	if (data + ETH_HLEN + length > end)
		return 0;
	return data + ETH_HLEN;
}

static __always_inline __u16 header_checksum(struct iphdr *header)
{
	__u32 sum = bpf_csum_diff(0, 0, (__be32 *)header, sizeof(*header), 0);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline const struct ipip_config *configuration(void)
{
	__u32 zero = 0;
	const struct ipip_config *config = bpf_map_lookup_elem(&ipip_config, &zero);

	return config && config->layout == IPIP_LAYOUT ? config : 0;
}

/* RFC 6040 figure 4: what congestion the outer header saw is the inner's. Negative: a loss. */
static __always_inline int decapsulated_ecn(__u8 outer, __u8 inner)
{
	outer &= ECN_MASK;
	inner &= ECN_MASK;
	if (outer == ECN_CE)
		return inner ? ECN_CE : -1;
	return outer == ECN_ECT_1 && inner == ECN_ECT_0 ? ECN_ECT_1 : inner;
}

SEC("tc")
int ipip_encap(struct __sk_buff *skb)
{
	const struct ipip_config *config = configuration();
	struct ipip_prefix key = { .length = 32 };
	struct iphdr outer = {};
	struct iphdr *header;
	__be32 *node;
	__u32 total;

	if (!config)
		return drop(COUNT_ERRORS);
	/* IPv6's router solicitations and the like: ipip carries IPv4 only. */
	if (skb->protocol != bpf_htons(ETH_P_IP))
		return drop(COUNT_NOT_IPV4);
	header = ipv4(skb, sizeof(*header));
	if (!header) {
		if (bpf_skb_pull_data(skb, ETH_HLEN + sizeof(*header)))
			return drop(COUNT_ERRORS);
		header = ipv4(skb, sizeof(*header));
		if (!header)
			return drop(COUNT_ERRORS);
	}
	key.address = header->daddr;
	node = bpf_map_lookup_elem(&ipip_dests, &key);
	if (!node)
		return drop(COUNT_NO_DESTINATION);

	total = skb->len - ETH_HLEN + OUTER_LEN;
	outer.version = 4;
	outer.ihl = 5;
	outer.tos = header->tos; /* DSCP as RFC 2983's uniform model, ECN as RFC 6040's normal mode */
	/* A GSO packet beyond 64 KB says 0, as the kernel's own BIG TCP does. */
	outer.tot_len = total > 0xffff ? 0 : bpf_htons(total);
	/* DF always: a fragment of an outer packet could not be decapsulated before the IP stack. */
	outer.frag_off = bpf_htons(IP_DF);
	outer.ttl = 64;
	outer.protocol = IPPROTO_IPIP;
	outer.saddr = config->local;
	outer.daddr = *node;
	outer.check = header_checksum(&outer);

	/*
	 * With these flags TCP super-packets become SKB_GSO_IPXIP4 and stay whole. The kernel refuses
	 * them (EALREADY) for what is already a tunnel packet, such as VXLAN from inside a pod: a
	 * single packet of that kind goes without. A super-packet of that kind is dropped: without the
	 * flags nobody behind us could tell its headers apart and cut it right.
	 */
	if (bpf_skb_adjust_room(skb, OUTER_LEN, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4) &&
	    (skb->gso_segs > 1 || bpf_skb_adjust_room(skb, OUTER_LEN, BPF_ADJ_ROOM_MAC, 0)))
		return drop(COUNT_ERRORS);
	header = ipv4(skb, sizeof(*header));
	if (!header)
		return drop(COUNT_ERRORS);
	*header = outer;
	count(COUNT_ENCAPSULATED);
	return bpf_redirect_neigh(config->uplink, 0, 0, 0);
}

/*
 * What is not for us gets TC_ACT_UNSPEC, not TC_ACT_OK: other filters of the uplink come after this
 * one and must see it.
 */
SEC("tc")
int ipip_decap(struct __sk_buff *skb)
{
	const struct ipip_config *config;
	struct iphdr *outer, *inner;
	__u8 inner_tos, tos;
	void *data, *end;
	__be32 sender;
	int ecn;

	/* A frame with a VLAN tag belongs to a VLAN device above the uplink. */
	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present ||
	    skb->pkt_type != PACKET_HOST)
		return TC_ACT_UNSPEC;
	outer = ipv4(skb, 2 * OUTER_LEN);
	if (!outer) {
		/* Too short for IP-in-IP, or not linear. */
		if (bpf_skb_pull_data(skb, ETH_HLEN + 2 * OUTER_LEN))
			return TC_ACT_UNSPEC;
		outer = ipv4(skb, 2 * OUTER_LEN);
		if (!outer)
			return TC_ACT_UNSPEC;
	}
	if (outer->protocol != IPPROTO_IPIP || outer->version != 4)
		return TC_ACT_UNSPEC;
	config = configuration();
	if (!config || outer->daddr != config->local)
		return TC_ACT_UNSPEC;
	/* Reassembly and options are the IP stack's work. */
	if (outer->ihl != 5 || outer->frag_off & bpf_htons(IP_FRAGMENT))
		return TC_ACT_UNSPEC;
	if (!(config->flags & IPIP_ACCEPT))
		return drop(COUNT_NOT_ACCEPTED);
	sender = outer->saddr;
	if (!bpf_map_lookup_elem(&ipip_senders, &sender))
		return drop(COUNT_UNKNOWN_SENDER);
	inner = outer + 1;
	/* ip_rcv() comes after this hook, so its check of the outer header is ours to make. */
	if (inner->version != 4 || header_checksum(outer))
		return drop(COUNT_ERRORS);

	ecn = decapsulated_ecn(outer->tos, inner->tos);
	if (ecn < 0)
		return drop(COUNT_ERRORS);
	inner_tos = inner->tos;
	tos = (inner_tos & ~ECN_MASK) | ecn;
	if (bpf_skb_adjust_room(skb, -OUTER_LEN, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO))
		return drop(COUNT_ERRORS);
	if (tos != inner_tos &&
	    (bpf_l3_csum_replace(skb, ETH_HLEN + __builtin_offsetof(struct iphdr, check),
				 bpf_htons(inner_tos), bpf_htons(tos), 2) ||
	     bpf_skb_store_bytes(skb, ETH_HLEN + __builtin_offsetof(struct iphdr, tos), &tos,
				 sizeof(tos), 0)))
		return drop(COUNT_ERRORS);
	/* The tunnel device takes in only what is addressed to it. */
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	if (data + ETH_HLEN > end)
		return drop(COUNT_ERRORS);
	__builtin_memcpy(data, config->tunnel_mac, ETH_ALEN);
	count(COUNT_DECAPSULATED);
	return bpf_redirect(config->tunnel, BPF_F_INGRESS);
}

/* Tells the kernel that helpers reserved for GPL-compatible programs may be used. */
char _license[] SEC("license") = "GPL";
