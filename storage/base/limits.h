// Every limit of the program: its value, its unit and why it stands where it stands.
#pragma once

#include <chrono>
#include <cstddef>

namespace kubemu::limits {

// kube-apiserver's own limit for a request body (--max-request-bytes, 3 MiB).
inline constexpr std::size_t request_body_bytes_max = 3 * 1024 * 1024;
// A client that connects by TLS must be done with its greeting within this time.
inline constexpr std::chrono::seconds handshake_timeout{10};
// Deeper JSON or YAML is refused, so that recursion over a document is bounded.
inline constexpr std::size_t document_depth_max = 512;
// YAML may grow by aliases; a document of more nodes than this is refused ("billion laughs").
inline constexpr std::size_t yaml_nodes_max = 1'000'000;
// One SQLite transaction of the committer: enough for group commit to reach 100,000 rows a second.
inline constexpr std::size_t commit_batch_transactions_max = 256;
inline constexpr std::size_t commit_batch_bytes_max = 1024 * 1024;
// Events of one resource kept in memory; older ones are read from the database.
inline constexpr std::size_t event_log_events_max = 1024;
// The records of a resource's last changes stay plain, those of earlier ones are packed (text_packer.h).
inline constexpr std::size_t event_log_plain_events_max = 256;
// Shorter texts are not worth it; the places of longer ones do not fit into 16 bits.
inline constexpr std::size_t packed_text_bytes_min = 768;
inline constexpr std::size_t packed_text_bytes_max = 65'000;
// Texts of one resource that others are packed against: each try costs a few microseconds.
inline constexpr std::size_t packing_bases_max = 4;
// So many texts that are packed badly bring a base of their own: a base lives as long as a text that leans on it.
inline constexpr unsigned packing_poor_max = 16;
// Events handed to a watcher at a time, written to its socket in one call.
inline constexpr std::size_t watch_batch_events_max = 64;
// A watcher that does not take its data for this long is cut off.
inline constexpr std::chrono::seconds slow_watcher_timeout{60};
// kube-apiserver compacts what is older than five minutes (--etcd-compaction-interval).
inline constexpr std::chrono::minutes compaction_age{5};
inline constexpr int compaction_slice_rows = 1000;
// A write that meets a conflict it may retry gives up after this many attempts.
inline constexpr int update_retries_max = 64;
// kube-apiserver ends a watch that names no time-out after 30 to 60 minutes (--min-request-timeout).
inline constexpr std::chrono::minutes watch_timeout_min{30};
// kube-apiserver's --watch-bookmark frequency.
inline constexpr std::chrono::seconds bookmark_interval{60};
// Compiled policies and match conditions that are kept; more than a cluster has.
inline constexpr std::size_t compiled_policies_max = 4096;
// Decoded documents of records that were read last: a decoded document takes six times its text.
inline constexpr std::size_t kept_documents_max = 16;
inline constexpr std::size_t kept_documents_bytes_max = 96 * 1024;  // of texts
inline constexpr std::size_t kept_document_bytes_max = 16 * 1024;   // of one
// Custom resources that a webhook has converted, kept for the next reader; a list of more than these is not kept.
inline constexpr std::size_t converted_records_max = 100'000;
// Answers of webhooks and of aggregated servers that are read into memory.
inline constexpr std::size_t remote_answer_bytes_max = 16 * 1024 * 1024;
// Other servers that one request may wait for, one after the other: each round runs the request again.
inline constexpr int remote_rounds_max = 256;
// Reconciles that wait for other servers at the same time, each with a thread of its own; one more holds up the others.
inline constexpr std::size_t waiting_reconciles_max = 64;

}  // namespace kubemu::limits
