#include "storage/check/shard_reader.h"

#include "storage/base/async.h"

namespace outcrop::check {
namespace {

constexpr std::uint64_t kWindow = 1 << 20;  ///< of each shard, about

}  // namespace

ShardReader::ShardReader(const segment::SegmentRecord& record, const drives::DriveSet& drives)
    : x_record(record), x_cluster(drives.cluster()) {
  for (unsigned i = 0; i < record.slots.size(); ++i) {
    const drives::Slot slot = record.slots[i];
    io::Disk* const disk = slot < drives.slots() && drives.live(slot) ? drives.disk(slot) : nullptr;
    if (disk == nullptr) {
      continue;
    }
    auto file = disk->open(segment::shard_path(record.id, i), io::Access::read, io::Cache::direct);
    if (file) {
      x_files[i] = *std::move(file);
      x_open |= 1U << i;
    }
  }
}

ShardReader::~ShardReader() = default;

Task<> ShardReader::read(std::span<Row> rows, io::IoBackend* backend) {
  for (std::size_t from = 0; from < rows.size();) {
    std::size_t to = from + 1;
    while (to < rows.size() && rows[to].end() - rows[from].offset <= kWindow) {
      ++to;
    }
    CO_TRYV(co_await read_window(rows.subspan(from, to - from), backend));
    from = to;
  }
  co_return ok();
}

Task<> ShardReader::read_window(std::span<Row> rows, io::IoBackend* backend) {
  const std::uint64_t begin = align_down(rows.front().offset, kIoAlign);
  const std::uint64_t end = align_up(rows.back().end(), kIoAlign);
  std::vector<io::IoOp> ops;
  std::vector<unsigned> shards;
  for (unsigned i = 0; i < x_record.slots.size(); ++i) {
    if (x_files[i]) {
      ops.push_back({.kind = io::OpKind::read,
                     .file = x_files[i].get(),
                     .offset = begin,
                     .buffer = Buffer::make(end - begin),
                     .durable = false,
                     .result = {}});
      shards.push_back(i);
    }
  }
  if (ops.empty()) {
    co_return ok();
  }
  if (backend != nullptr) {
    co_await io::run(*backend, ops);
  }
  for (std::size_t n = 0; n < ops.size(); ++n) {
    io::IoOp& op = ops[n];
    if (backend == nullptr) {
      const auto got = op.file->read_sync(begin, op.buffer.writable());
      const bool whole = got && *got == op.buffer.size();
      op.result = whole ? ok() : Result<void>(fail(Errc::io_error));
    }
    for (Row& row : rows) {
      if (op.result) {
        check_row(row, shards[n], op.buffer.view().subspan(row.offset - begin));
      } else {
        read_alone(row, shards[n]);
      }
    }
  }
  co_return ok();
}

void ShardReader::check_row(Row& row, unsigned shard, ConstBytes chunk) {
  segment::ChunkIdentity identity{.cluster = x_cluster,
                                  .segment = x_record.id,
                                  .offset = row.offset,
                                  .stamp = row.stamp,
                                  .length = row.length,
                                  .kind = segment::ChunkKind::small,
                                  .shard = 0};
  if (!x_record.small) {
    identity.kind = shard < x_record.k ? segment::ChunkKind::data : segment::ChunkKind::parity;
    identity.shard = static_cast<std::uint8_t>(shard);
  }
  if (segment::check_chunk(identity, chunk)) {
    row.good |= 1U << shard;
    ++x_chunks;
    x_bytes += row.length;
  }
}

// One sector that cannot be read, or an end that is missing, fails a whole window.
void ShardReader::read_alone(Row& row, unsigned shard) {
  const std::uint64_t begin = align_down(row.offset, kIoAlign);
  const Buffer bytes = Buffer::make(align_up(row.end(), kIoAlign) - begin);
  const auto got = x_files[shard]->read_sync(begin, bytes.writable());
  if (got && *got >= row.end() - begin) {
    check_row(row, shard, bytes.view().first(*got).subspan(row.offset - begin));
  }
}

}  // namespace outcrop::check
