/** Prometheus samples of peers. A peer has 22, and one per way in which its sessions ended. */

import { formatAddress } from "../../lib/index.ts";
import type {
  MessageCounts,
  PeerDetails,
  RefusedConnections,
  SessionState,
  Speaker,
} from "../index.ts";

export interface MetricFamily {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

/** As BGP4-MIB numbers them (RFC 4273, bgpPeerState). */
const stateNumbers: Readonly<Record<SessionState, number>> = {
  Idle: 1,
  Connect: 2,
  Active: 3,
  OpenSent: 4,
  OpenConfirm: 5,
  Established: 6,
};

function peerMetrics(peers: readonly PeerDetails[]): MetricFamily[] {
  const family = (
    [type, name, help]: readonly [MetricFamily["type"], string, string],
    samples: (peer: PeerDetails) => readonly (readonly [Labels, number])[],
  ): MetricFamily => ({
    ...{ type, name: `switchyard_bgp_${name}`, help },
    samples: peers.flatMap((peer) => {
      const address = formatAddress(peer.address);
      return samples(peer).map(
        ([labels, value]) => [labelsText({ peer: address, ...labels }), value] as const,
      );
    }),
  });
  return [
    family(["gauge", "session_up", "1 when the session is Established."], ({ state }) => [
      [{}, Number(state === "Established")],
    ]),
    family(
      [
        "gauge",
        "session_state",
        "1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 OpenConfirm, 6 Established.",
      ],
      ({ state }) => [[{}, stateNumbers[state]]],
    ),
    family(
      ["gauge", "session_since_seconds", "When the state was entered, seconds since the epoch."],
      ({ sinceMs }) => [[{}, sinceMs / 1000]],
    ),
    family(
      ["gauge", "hold_time_seconds", "Agreed on; 0 outside of Established."],
      ({ holdTimeSeconds }) => [[{}, holdTimeSeconds]],
    ),
    family(
      ["gauge", "prefixes", "Received, accepted of these, sent, and waiting to be sent."],
      (peer) => [
        [{ kind: "received" }, peer.routesReceived],
        [{ kind: "accepted" }, peer.routesAccepted],
        [{ kind: "sent" }, peer.routesSent],
        [{ kind: "waiting" }, peer.routesWaiting],
      ],
    ),
    family(
      ["counter", "sessions_established_total", "Sessions that were Established."],
      ({ established }) => [[{}, established]],
    ),
    family(
      [
        "counter",
        "sessions_ended_total",
        "Established sessions that ended, by who ended them and why.",
      ],
      ({ endCounts }) => endCounts.map(({ by, name: reason, count }) => [{ by, reason }, count]),
    ),
    family(["counter", "messages_total", "Messages by direction and type."], (peer) => [
      ...messagesOf("in", peer.received),
      ...messagesOf("out", peer.sent),
    ]),
    family(["counter", "bytes_total", "Bytes of messages."], ({ received, sent }) => [
      [{ direction: "in" }, received.bytes],
      [{ direction: "out" }, sent.bytes],
    ]),
    family(
      ["counter", "malformed_updates_total", "UPDATEs with errors that end no session (RFC 7606)."],
      ({ malformed }) => [[{}, malformed]],
    ),
  ];
}

type Labels = Readonly<Record<string, string>>;

function messagesOf(direction: string, counts: MessageCounts): [Labels, number][] {
  const types = { open: counts.open, update: counts.update, notification: counts.notification };
  const more = { keepalive: counts.keepalive, "route-refresh": counts.routeRefresh };
  return Object.entries({ ...types, ...more }).map(([type, count]) => [{ direction, type }, count]);
}

function refusedMetric({ total }: RefusedConnections): MetricFamily {
  return {
    name: "switchyard_bgp_refused_connections_total",
    type: "counter",
    help: "Connections from addresses that are no peer's.",
    samples: [["", total]],
  };
}

/** None where the kernel does not count them. */
function signatureMetrics({ signatures }: RefusedConnections): MetricFamily[] {
  if (signatures === undefined) return [];
  const kinds = Object.entries(signatures);
  return [
    {
      name: "switchyard_bgp_signature_failures_total",
      type: "counter",
      help: "Packets that the kernel dropped for their TCP MD5 signature, whoever sent them.",
      samples: kinds.map(([kind, count]) => [labelsText({ kind }), count]),
    },
  ];
}

/** Of a speaker, in the text format of Prometheus; nothing where there is none. */
export function speakerMetrics(speaker: Pick<Speaker, "details" | "refused"> | undefined): string {
  const families = peerMetrics(speaker?.details() ?? []);
  if (speaker === undefined) return metricsText(families);
  const refused = speaker.refused();
  return metricsText([...families, refusedMetric(refused), ...signatureMetrics(refused)]);
}

function metricsText(families: readonly MetricFamily[]): string {
  const lines = families.flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}

function labelsText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${parts.join(",")}}`;
}
