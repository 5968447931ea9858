// Flushing: everything that is dirty of a file becomes one payload and one transaction.
#include <algorithm>

#include "storage/ns/file_change.h"
#include "storage/ns/file_io.h"
#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/links.h"

namespace outcrop::ns {
namespace {

/// Files that a pass over idle ones flushes at a time.
constexpr std::size_t kIdleFlushes = 4;
/// Times the pieces of a fragmented file: no list grows far beyond what one transaction can hold.
constexpr std::size_t kCrowded = 8;

FileChange change_of(const std::vector<PlacedBytes>& left,
                     const std::optional<PayloadStream>& stream,
                     std::uint64_t size) {
  FileChange out{.bytes = {}, .pieces = {}, .size = std::max(size, left.back().end())};
  if (stream) {
    out.pieces = stream->pieces_of(left);
  } else {
    out.bytes = left;
  }
  return out;
}

// The payload first, without the inode's lock; then, under it, what truncations have left of it.
// Gives how many pieces the file has now.
Task<std::size_t> store(Core& core, DirtyFile& file, const DirtyFile::Snapshot& snapshot) {
  std::optional<PayloadStream> stream;
  if (total_bytes(snapshot.bytes) > kMaxRiding) {
    CO_TRY(stream, co_await PayloadStream::store(core, snapshot.bytes));
  }
  LockPlan plan;
  plan.add(inode_lock(file.ino()), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(plan)));
  CO_TRY(const FoundInode found, co_await find_inode(core, file.ino()));
  if (!found.object) {
    co_return std::size_t{0};  // removed meanwhile, and its bytes with it
  }
  CO_TRY(const ObjectPtr before, co_await load_object(core, file.ino(), found.object->root));
  const std::vector<PlacedBytes> left = file.flushing();
  if (!before || before->record.history || left.empty()) {
    co_return std::size_t{0};
  }
  FileChange change = change_of(left, stream, before->record.size);
  Object after = *before;
  const DirtyView now = file.view(0, 0);
  // The number that clients were shown for these bytes, so that a flush is no change to them. A
  // record that was changed after the last write has a higher one, and takes a new one; the ETag
  // is that of the bytes in any case.
  CO_TRYV(mark_content(
      core, after, change.size,
      {.change = snapshot.change > before->record.change ? snapshot.change : core.changes.next(),
       .content = snapshot.change,
       .mtime_ns = now.mtime_ns,
       .ctime_ns = now.ctime_ns}));
  Transaction tx(core);
  CO_TRYV(co_await put_summaries(core, tx, after));
  CO_TRYV(co_await put_change(core, tx, *before, after, std::move(change)));
  tx.spend(file.take_reservation());
  if (auto committed = co_await tx.commit(); !committed) {
    file.keep_reservation(tx.unspent());
    co_return fail(committed.error());
  }
  if (after.record.lists.pieces.size() > core.config.fragmented_pieces) {
    core.fragmented.add(file.ino());
  }
  co_return after.record.lists.pieces.size();
}

Task<> flush_once(Core& core, DirtyFile& file) {
  const DirtyFile::Snapshot snapshot = file.begin_flush();
  auto stored = co_await store(core, file, snapshot);
  file.end_flush(stored ? ok() : Result<void>(fail(stored.error())));
  CO_TRY(const std::size_t pieces, std::move(stored));
  if (pieces > kCrowded * core.config.fragmented_pieces) {
    // Written faster than the background pass can follow: its writers help.
    CO_TRYV(co_await defragment_file(core, file.ino()));
  }
  co_return ok();
}

Task<> wait_for_flush(DirtyFile& file, std::uint64_t target) {
  return suspend<void>(
      [&file, target](Resume<void> resume) { file.wait_flush(target, std::move(resume)); });
}

Task<> flush(Core& core, DirtyFilePtr file) {
  const std::uint64_t target = file->written();
  for (;;) {
    const DirtyFile::Entry entry = file->enter_flush(target);
    if (entry == DirtyFile::Entry::clean) {
      core.dirty->retire(file);
      co_return ok();
    }
    CO_TRYV(co_await (entry == DirtyFile::Entry::mine ? flush_once(core, *file)
                                                      : wait_for_flush(*file, target)));
  }
}

/// Takes files from a shared list until it is empty.
Task<> flush_from(Core& core, std::vector<DirtyFilePtr>& files) {
  Result<void> first;
  while (!files.empty()) {
    DirtyFilePtr file = std::move(files.back());
    files.pop_back();
    if (auto flushed = co_await flush(core, std::move(file)); !flushed && first) {
      first = std::move(flushed);
    }
  }
  co_return first;
}

}  // namespace

Task<> flush_file(Core& core, InodeId ino) {
  if (DirtyFilePtr file = core.dirty->find(ino)) {
    CO_TRYV(co_await flush(core, std::move(file)));
  }
  co_return ok();
}

// Whatever was written before the call is dirty when it is asked whether anything is, or is found
// in the record. The second look is needed also if the file is clean by then: the first may have
// come before its flush.
Task<FoundObject> find_flushed(Core& core, InodeId root, std::string_view key, bool pin) {
  const bool any = core.dirty->any();
  CO_TRY(FoundObject found, co_await find_object(core, root, key, pin && !any));
  for (int attempt = 0; any && found.object; ++attempt) {
    if (attempt == kMaxAttempts) {
      co_return fail(Errc::overloaded, "a key is replaced faster than it can be opened");
    }
    const InodeId ino = found.object->ino;
    CO_TRYV(co_await flush_file(core, ino));
    CO_TRY(found, co_await find_object(core, root, key, pin));
    if (found.object && found.object->ino == ino) {
      break;
    }
  }
  co_return found;
}

Task<> flush_key(Core& core, std::string_view bucket, std::string_view key) {
  if (core.dirty->any()) {
    CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
    CO_TRYV(co_await find_flushed(core, record.root, key, false));
  }
  co_return ok();
}

Task<> flush_dirty(Core& core, std::int64_t older_than_ns) {
  std::vector<DirtyFilePtr> files;
  for (DirtyFilePtr& file : core.dirty->all()) {
    const std::int64_t since = file->since_ns();
    if (since == INT64_MAX) {
      core.dirty->retire(file);
    } else if (since <= older_than_ns) {
      files.push_back(std::move(file));
    }
  }
  TaskGroup group(co_await asio::this_coro::executor);
  for (std::size_t i = 0; i < std::min(kIdleFlushes, files.size()); ++i) {
    group.spawn(flush_from(core, files));
  }
  co_return co_await group.join();
}

Task<> relieve_file(Core& core, DirtyFilePtr file) {
  const std::uint64_t most = std::clamp(core.dirty->budget().limit() / 4, kMinFlush, kMaxFlush);
  for (;;) {
    const DirtyFile::Pressure pressure = file->pressure(most);
    if (pressure == DirtyFile::Pressure::none) {
      co_return ok();
    }
    CO_TRYV(co_await (pressure == DirtyFile::Pressure::flush
                          ? flush(core, file)
                          : wait_for_flush(*file, file->written())));
  }
}

// Its own file first; then those of others, the oldest first, whatever became of their flushes:
// their writers hear of it. Beyond twice the budget nothing more is taken.
Task<> relieve_memory(Core& core, InodeId ino) {
  const WriteBudget& budget = core.dirty->budget();
  if (!budget.over()) {
    co_return ok();
  }
  CO_TRYV(co_await flush_file(core, ino));
  std::vector<std::pair<std::int64_t, DirtyFilePtr>> others;
  if (budget.over()) {
    for (DirtyFilePtr& file : core.dirty->all()) {
      others.emplace_back(file->since_ns(), std::move(file));
    }
    std::ranges::sort(others, {}, &std::pair<std::int64_t, DirtyFilePtr>::first);
  }
  Result<void> last;
  for (auto& [since, file] : others) {
    if (!budget.over()) {
      break;
    }
    if (auto flushed = co_await flush(core, std::move(file)); !flushed) {
      last = std::move(flushed);
    }
  }
  co_return budget.used() > 2 * budget.limit() ? last : ok();
}

}  // namespace outcrop::ns
