#include "api/admin/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>

namespace outcrop::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// Collects families; the metrics of one family are added one after the other.
class Page {
 public:
  void counter(const char* name, const char* help, std::uint64_t value, Labels labels = {}) {
    ClientMetric& m = add(name, help, MetricType::Counter, std::move(labels));
    m.counter.value = static_cast<double>(value);
  }
  void seconds(const char* name, const char* help, std::uint64_t ns, Labels labels) {
    ClientMetric& m = add(name, help, MetricType::Counter, std::move(labels));
    m.counter.value = static_cast<double>(ns) / 1e9;
  }
  void gauge(const char* name, const char* help, std::uint64_t value, Labels labels = {}) {
    ClientMetric& m = add(name, help, MetricType::Gauge, std::move(labels));
    m.gauge.value = static_cast<double>(value);
  }
  ClientMetric::Histogram& histogram(const char* name, const char* help, Labels labels) {
    return add(name, help, MetricType::Histogram, std::move(labels)).histogram;
  }
  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, x_families);
    return std::move(out).str();
  }

 private:
  ClientMetric& add(const char* name, const char* help, MetricType type, Labels labels) {
    auto family = std::ranges::find(x_families, name, &MetricFamily::name);
    if (family == x_families.end()) {
      x_families.push_back({name, help, type, {}});
      family = x_families.end() - 1;
    }
    ClientMetric& m = family->metric.emplace_back();
    m.label = std::move(labels);
    return m;
  }
  std::vector<MetricFamily> x_families;
};

void add_operation(Page& page, const OperationTotals& op) {
  std::uint64_t count = 0;
  for (std::size_t slot = 0; slot < op.by_status.size(); ++slot) {
    count += op.by_status[slot];
    if (op.by_status[slot] > 0) {
      page.counter("outcrop_requests_total", "Requests by operation and status", op.by_status[slot],
                   {{"operation", op.operation}, {"status", op.statuses->label(slot)}});
    }
  }
  page.counter("outcrop_request_bytes_total", "Payload bytes by operation and direction",
               op.bytes_in, {{"operation", op.operation}, {"direction", "in"}});
  page.counter("outcrop_request_bytes_total", "", op.bytes_out,
               {{"operation", op.operation}, {"direction", "out"}});
  ClientMetric::Histogram& h =
      page.histogram("outcrop_request_duration_seconds",
                     "Time from head to last byte, by operation", {{"operation", op.operation}});
  h.sample_count = count;
  h.sample_sum = static_cast<double>(op.nanoseconds) / 1e9;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kLatencyBounds.size(); ++i) {
    below += op.latency[i];
    h.bucket.push_back({below, kLatencyBounds[i]});
  }
}

void add_http(Page& page, const HttpSample& s) {
  page.gauge("outcrop_http_connections", "Open client connections", s.connections);
  page.gauge("outcrop_http_requests_in_flight", "Requests being served", s.in_flight);
  page.counter("outcrop_http_accepted_total", "Connections accepted", s.accepted);
  page.counter("outcrop_http_refused_total", "Connections refused over a limit", s.refused);
  page.counter("outcrop_http_requests_total", "Requests with a valid head", s.requests);
  page.counter("outcrop_http_bad_requests_total", "Requests with broken framing", s.bad_heads);
  page.counter("outcrop_http_timeouts_total", "Clients too slow with a head or body", s.timeouts);
  page.counter("outcrop_http_resets_total", "Responses cut off before their end", s.resets);
  page.counter("outcrop_http_bytes_total", "Payload bytes", s.bytes_in, {{"direction", "in"}});
  page.counter("outcrop_http_bytes_total", "", s.bytes_out, {{"direction", "out"}});
}

void add_nfs(Page& page, const NfsSample& s) {
  page.gauge("outcrop_nfs_connections", "Open NFS connections", s.connections);
  page.gauge("outcrop_nfs_calls_in_flight", "RPC calls being served", s.in_flight);
  page.gauge("outcrop_nfs_exports", "Exports", s.exports);
  page.counter("outcrop_nfs_accepted_total", "Connections accepted", s.accepted);
  page.counter("outcrop_nfs_refused_total", "Connections refused over a limit", s.refused);
  page.counter("outcrop_nfs_calls_total", "RPC calls", s.calls);
  page.counter("outcrop_nfs_writes_total", "Gather writes that replies shared", s.writes);
  page.counter("outcrop_nfs_bad_records_total", "Connections ended for what is not RPC",
               s.bad_records);
  page.counter("outcrop_nfs_timeouts_total", "Clients too slow with a record", s.timeouts);
  page.counter("outcrop_nfs_resets_total", "Connections that broke while replying", s.resets);
  page.counter("outcrop_nfs_tls_handshakes_total", "TLS handshakes by result", s.tls_handshakes,
               {{"result", "done"}});
  page.counter("outcrop_nfs_tls_handshakes_total", "", s.tls_failures, {{"result", "failed"}});
  page.counter("outcrop_nfs_bytes_total", "Bytes on the wire", s.bytes_in, {{"direction", "in"}});
  page.counter("outcrop_nfs_bytes_total", "", s.bytes_out, {{"direction", "out"}});
  page.gauge("outcrop_nfs_clients", "NFSv4 clients", s.clients);
  page.gauge("outcrop_nfs_sessions", "NFSv4 sessions", s.sessions);
  page.gauge("outcrop_nfs_opens", "NFSv4 opens", s.opens);
  page.gauge("outcrop_nfs_state_bytes", "Memory of NFSv4 state", s.state_bytes);
}

void add_audit(Page& page, const AuditSample& s) {
  page.counter("outcrop_audit_lines_total", "Lines of the audit log written", s.written);
  page.counter("outcrop_audit_missing_total", "Events that are not in the audit log", s.dropped,
               {{"reason", "queue_full"}});
  page.counter("outcrop_audit_missing_total", "", s.suppressed, {{"reason", "denial_rate"}});
  page.counter("outcrop_audit_write_errors_total", "Writes and syncs of it that failed",
               s.write_errors);
  page.gauge("outcrop_audit_queued_bytes", "Events waiting to be written", s.queued_bytes);
}

void add_process(Page& page, const ProcessSample& s) {
  page.gauge("outcrop_memory_resident_bytes", "Resident memory of the process", s.resident_bytes);
  page.gauge("outcrop_memory_limit_bytes", "memory_limit in effect", s.memory_limit_bytes);
  page.gauge("outcrop_memory_buffer_bytes", "I/O buffers in use", s.buffer_bytes);
  page.gauge("outcrop_memory_in_flight_bytes", "Byte budget taken by requests", s.in_flight_bytes);
  page.gauge("outcrop_start_time_seconds", "Start of the process, Unix time", s.start_time_seconds);
}

void add_drive(Page& page, const DriveSample& d) {
  const Labels drive = {{"slot", std::to_string(d.slot)}, {"drive", d.path}};
  const auto with = [&drive](const char* op) {
    Labels labels = drive;
    labels.push_back({"op", op});
    return labels;
  };
  page.gauge("outcrop_drive_live", "1 if the drive is part of the current epoch", d.live, drive);
  page.gauge("outcrop_drive_mirror", "1 if it holds a metadata mirror", d.mirror, drive);
  page.gauge("outcrop_drive_size_bytes", "Capacity of its filesystem", d.total_bytes, drive);
  page.gauge("outcrop_drive_free_bytes", "Free space of its filesystem", d.free_bytes, drive);
  page.gauge("outcrop_drive_in_flight", "Transfers in flight", d.in_flight, drive);
  page.counter("outcrop_drive_errors_total", "Failed transfers", d.errors, drive);
  page.counter("outcrop_drive_ops_total", "Transfers by kind", d.reads, with("read"));
  page.counter("outcrop_drive_ops_total", "", d.writes, with("write"));
  page.counter("outcrop_drive_ops_total", "", d.syncs, with("sync"));
  page.counter("outcrop_drive_bytes_total", "Bytes by kind", d.bytes_read, with("read"));
  page.counter("outcrop_drive_bytes_total", "", d.bytes_written, with("write"));
  page.seconds("outcrop_drive_seconds_total", "Time in transfers by kind", d.read_ns, with("read"));
  page.seconds("outcrop_drive_seconds_total", "", d.write_ns, with("write"));
  page.seconds("outcrop_drive_seconds_total", "", d.sync_ns, with("sync"));
}

// What is written anew for the sake of drives that are missing, or were added.
void add_rewritten(Page& page, const StoreSample& s) {
  page.counter("outcrop_segments_restriped_total",
               "Segments without a drive whose payload was written anew over those that are left",
               s.segments_restriped);
  page.counter("outcrop_restriped_bytes_total", "Payload bytes that were stored anew for that",
               s.restriped_bytes);
  page.gauge("outcrop_restripe_left_bytes",
             "Payload, at most, that is to be written anew over the drives that are left",
             s.restripe_bytes_left);
  page.counter("outcrop_segments_widened_total",
               "Segments whose payload was written anew over more drives", s.segments_widened);
  page.counter("outcrop_shards_rebalanced_total", "Shards moved to emptier drives",
               s.shards_rebalanced);
  page.counter("outcrop_rebalanced_bytes_total",
               "Payload that was stored anew over more drives, and shards moved to emptier ones",
               s.rebalanced_bytes);
  page.gauge("outcrop_rebalance_left_bytes",
             "Of the same, at most, what is to be done as far as is known", s.rebalance_bytes_left);
}

void add_store(Page& page, const StoreSample& s) {
  for (const DriveSample& d : s.drives) {
    add_drive(page, d);
  }
  page.gauge("outcrop_store_epoch", "Membership epoch", s.epoch);
  page.gauge("outcrop_store_parity", "Drives that may fail without loss", s.parity);
  page.gauge("outcrop_store_writable", "1 if writes are accepted", s.writable);
  page.counter("outcrop_commits_total", "Journal commits", s.commits);
  page.counter("outcrop_commit_transactions_total", "Transactions in them", s.commit_transactions);
  ClientMetric::Histogram& sizes =
      page.histogram("outcrop_commit_size", "Transactions per journal commit", {});
  sizes.sample_count = s.commits;
  sizes.sample_sum = static_cast<double>(s.commit_transactions);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < s.commit_sizes.size(); ++i) {
    below += s.commit_sizes[i];
    sizes.bucket.push_back({below, static_cast<double>((std::uint64_t{2} << i) - 1)});
  }
  page.counter("outcrop_journal_bytes_total", "Bytes of journal written", s.journal_bytes);
  page.counter("outcrop_cache_requests_total", "Metadata cache lookups", s.cache_hits,
               {{"result", "hit"}});
  page.counter("outcrop_cache_requests_total", "", s.cache_misses, {{"result", "miss"}});
  page.gauge("outcrop_memory_metadata_bytes", "Memory of the metadata store",
             s.metadata_memory_bytes);
  page.counter("outcrop_payload_cache_requests_total", "Small payloads looked up in memory",
               s.payload_hits, {{"result", "hit"}});
  page.counter("outcrop_payload_cache_requests_total", "", s.payload_misses, {{"result", "miss"}});
  page.gauge("outcrop_memory_payload_cache_bytes", "Memory of small payloads kept for readers",
             s.payload_cache_bytes);
  page.gauge("outcrop_segments", "Segments by state", s.segments_open, {{"state", "open"}});
  page.gauge("outcrop_segments", "", s.segments_sealed, {{"state", "sealed"}});
  page.counter("outcrop_segments_recycled_total", "Dead segments taken into use again",
               s.segments_recycled);
  page.counter("outcrop_segments_compacted_total",
               "Segments whose live payload was moved out to win their garbage back",
               s.segments_compacted);
  page.counter("outcrop_compacted_bytes_total", "Payload bytes that compaction stored anew",
               s.compacted_bytes);
  add_rewritten(page, s);
  page.gauge("outcrop_segments_degraded", "Segments with a shard missing", s.degraded);
  page.gauge("outcrop_segments_moving", "Segments with a shard on a drive that drains", s.moving);
  page.gauge("outcrop_segments_unreadable", "Segments that need drives that are missing",
             s.unreadable);
  page.gauge("outcrop_segments_damaged", "Segments with data that no drive here can give",
             s.damaged);
  page.gauge("outcrop_repair_left_bytes", "What repair has yet to write", s.repair_bytes_left);
  page.counter("outcrop_repair_shards_total", "Shards rebuilt, drained, or moved to emptier drives",
               s.shards_moved);
  page.counter("outcrop_repair_chunks_total", "Damaged chunks rewritten", s.chunks_repaired);
  page.gauge("outcrop_scrub_all_read_since_seconds",
             "Unix time since which all data has been read and verified", s.scrubbed_since);
  page.gauge("outcrop_clock_behind_seconds",
             "The machine's clock, behind the time that the store has seen and goes on with",
             s.clock_behind_seconds);
  page.counter("outcrop_reads_reconstructed_total", "Reads served from parity",
               s.reconstructed_reads);
  page.counter("outcrop_reads_hedged_total", "Reads of a late drive that were not waited for",
               s.hedged_reads);
  page.counter("outcrop_reads_corrupt_total", "Chunks that failed verification", s.corrupt_reads);
}

}  // namespace

std::string render_metrics(const std::vector<OperationTotals>& operations, const Sample& sample) {
  Page page;
  for (const OperationTotals& op : operations) {
    add_operation(page, op);
  }
  add_http(page, sample.http);
  if (sample.nfs) {
    add_nfs(page, *sample.nfs);
  }
  if (sample.audit) {
    add_audit(page, *sample.audit);
  }
  add_process(page, sample.process);
  if (sample.store) {
    add_store(page, *sample.store);
  }
  return page.text();
}

}  // namespace outcrop::admin
