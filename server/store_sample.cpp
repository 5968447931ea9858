#include "server/store_sample.h"

#include "storage/engine/engine.h"

namespace outcrop::server {
namespace {

admin::DriveSample sample_drive(const engine::DriveStatus& status) {
  admin::DriveSample d;
  d.slot = status.slot;
  d.path = status.path;
  d.live = status.live;
  d.mirror = status.mirror;
  d.total_bytes = status.space.total_bytes;
  d.free_bytes = status.space.free_bytes;
  if (const io::DiskStats* s = status.stats; s != nullptr) {
    d.reads = s->reads;
    d.writes = s->writes;
    d.syncs = s->syncs;
    d.bytes_read = s->bytes_read;
    d.bytes_written = s->bytes_written;
    d.read_ns = s->read_ns;
    d.write_ns = s->write_ns;
    d.sync_ns = s->sync_ns;
    d.errors = s->errors;
    d.in_flight = s->in_flight;
  }
  return d;
}

}  // namespace

admin::StoreSample sample_store(const engine::EngineStats& e) {
  admin::StoreSample s;
  for (const engine::DriveStatus& d : e.drives) {
    s.drives.push_back(sample_drive(d));
  }
  s.epoch = e.epoch;
  s.parity = e.parity;
  s.writable = e.writable;
  s.commits = e.commits;
  s.commit_transactions = e.commit_transactions;
  s.commit_sizes.assign(e.commit_sizes.begin(), e.commit_sizes.end());
  s.journal_bytes = e.journal_bytes;
  s.cache_hits = e.cache_hits;
  s.cache_misses = e.cache_misses;
  s.payload_hits = e.payload_hits;
  s.payload_misses = e.payload_misses;
  s.payload_cache_bytes = e.payload_cache_bytes;
  s.metadata_memory_bytes = e.metadata_memory_bytes;
  s.segments_open = e.segments_open;
  s.segments_sealed = e.segments_sealed;
  s.segments_recycled = e.segments_recycled;
  s.segments_compacted = e.segments_compacted;
  s.compacted_bytes = e.compacted_bytes;
  s.segments_restriped = e.segments_restriped;
  s.restriped_bytes = e.restriped_bytes;
  s.restripe_bytes_left = e.restripe.bytes_left;
  s.segments_widened = e.segments_widened;
  s.shards_rebalanced = e.shards_rebalanced;
  s.rebalanced_bytes = e.rebalanced_bytes;
  s.rebalance_bytes_left = e.rebalance.bytes_left;
  s.clock_behind_seconds = e.clock_behind_seconds;
  s.reconstructed_reads = e.reconstructed_reads;
  s.corrupt_reads = e.corrupt_reads;
  s.hedged_reads = e.hedged_reads;
  s.degraded = e.repair.degraded;
  s.moving = e.repair.moving;
  s.unreadable = e.repair.unreadable;
  s.damaged = e.repair.damaged;
  s.repair_bytes_left = e.repair.bytes_left;
  s.shards_moved = e.repair.shards_moved;
  s.chunks_repaired = e.repair.chunks_repaired;
  s.scrubbed_since = e.repair.oldest_scrub;
  return s;
}

}  // namespace outcrop::server
