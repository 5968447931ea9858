#include "storage/ns/dirty_file.h"

#include <algorithm>

namespace outcrop::ns {

DirtyFile::Written DirtyFile::write(Write& write) {
  const std::lock_guard lock(x_mutex);
  if (x_retired) {
    return Written::retired;
  }
  if (x_gates > 0) {
    return Written::gated;
  }
  if (write.seals != seals()) {
    return Written::sealed;
  }
  if (write.epoch && write.epoch != x_epoch) {
    return Written::moved;
  }
  x_runs_reserved.add(std::move(write.reservation));
  std::uint64_t at = write.offset;
  for (Buffer& data : write.data) {
    const std::size_t n = data.size();
    x_runs.write(at, std::move(data), x_budget);
    at += n;
  }
  ++x_written;
  // Drawn under the mutex: the last write has the highest number.
  x_change = x_changes.next();
  x_mtime_ns = x_ctime_ns = write.wall_ns;
  x_since_ns = std::min(x_since_ns, write.steady_ns);
  return Written::done;
}

DirtyView DirtyFile::view(std::uint64_t from, std::uint64_t to) const {
  const std::lock_guard lock(x_mutex);
  DirtyView out{.dirty = !clean(),
                .gated = x_gates > 0,
                .epoch = x_epoch,
                .end = std::max(x_runs.end(), x_flushing.end()),
                .change = x_change,
                .mtime_ns = x_mtime_ns,
                .ctime_ns = x_ctime_ns,
                .bytes = {}};
  std::vector<PlacedBytes> older;
  x_runs.collect(from, to, out.bytes);
  x_flushing.collect(from, to, older);
  out.bytes = overlay(std::move(out.bytes), older);
  return out;
}

std::uint64_t DirtyFile::next(std::uint64_t offset, bool written) const {
  const std::lock_guard lock(x_mutex);
  if (written) {
    return std::min(x_runs.next(offset, true), x_flushing.next(offset, true));
  }
  for (;;) {
    const std::uint64_t free = x_flushing.next(x_runs.next(offset, false), false);
    if (x_runs.next(free, false) == free) {
      return free;
    }
    offset = free;
  }
}

std::uint64_t DirtyFile::bytes() const {
  const std::lock_guard lock(x_mutex);
  return x_runs.bytes();
}

std::size_t DirtyFile::runs() const {
  const std::lock_guard lock(x_mutex);
  return x_runs.count();
}

std::int64_t DirtyFile::since_ns() const {
  const std::lock_guard lock(x_mutex);
  return x_runs.empty() ? INT64_MAX : x_since_ns;
}

std::uint64_t DirtyFile::epoch() const {
  const std::lock_guard lock(x_mutex);
  return x_epoch;
}

DirtyFile::Pressure DirtyFile::pressure(std::uint64_t bytes) const {
  const std::lock_guard lock(x_mutex);
  const auto above = [&](std::uint64_t times) {
    return x_runs.bytes() >= times * bytes || x_runs.count() >= times * kMaxDirtyRuns;
  };
  if (x_in_flush) {
    return above(2) ? Pressure::wait : Pressure::none;
  }
  return above(1) ? Pressure::flush : Pressure::none;
}

std::uint64_t DirtyFile::written() const {
  const std::lock_guard lock(x_mutex);
  return x_written;
}

DirtyFile::Entry DirtyFile::enter_flush(std::uint64_t target) {
  const std::lock_guard lock(x_mutex);
  if (x_in_flush) {
    return x_flushed >= target ? Entry::clean : Entry::wait;
  }
  if (x_runs.empty()) {  // stored, or cut by a truncation
    x_flushed = x_written;
    x_since_ns = INT64_MAX;
  }
  if (x_flushed >= target) {
    return Entry::clean;
  }
  x_in_flush = true;
  return Entry::mine;
}

void DirtyFile::wait_flush(std::uint64_t target, Resume<void> resume) {
  {
    const std::lock_guard lock(x_mutex);
    if (x_in_flush) {
      x_flush_waiters.push_back({target, std::move(resume)});
      return;
    }
  }
  resume(ok());
}

DirtyFile::Snapshot DirtyFile::begin_flush() {
  const std::lock_guard lock(x_mutex);
  OUTCROP_ASSERT(x_in_flush && x_flushing.empty());
  x_flushing = std::exchange(x_runs, {});
  x_flushing_reserved = std::move(x_runs_reserved);
  x_taken = x_written;
  x_since_ns = INT64_MAX;
  Snapshot out{.change = x_change, .bytes = {}};
  x_flushing.collect(0, UINT64_MAX, out.bytes);
  return out;
}

std::vector<PlacedBytes> DirtyFile::flushing() const {
  const std::lock_guard lock(x_mutex);
  std::vector<PlacedBytes> out;
  x_flushing.collect(0, UINT64_MAX, out);
  return out;
}

Reservation DirtyFile::take_reservation() {
  const std::lock_guard lock(x_mutex);
  return std::move(x_flushing_reserved);
}

void DirtyFile::keep_reservation(Reservation reservation) {
  const std::lock_guard lock(x_mutex);
  x_flushing_reserved.add(std::move(reservation));
}

void DirtyFile::end_flush(Result<void> result) {
  std::vector<FlushWaiter> waiters;
  std::uint64_t taken = 0;
  {
    const std::lock_guard lock(x_mutex);
    OUTCROP_ASSERT(x_in_flush);
    x_in_flush = false;
    taken = x_taken;
    waiters = std::exchange(x_flush_waiters, {});
    if (result) {
      x_flushing = {};
      x_flushed = x_taken;
      ++x_epoch;
    } else if (!x_flushing.empty()) {
      x_runs.put_below(x_flushing);
      x_runs_reserved.add(std::move(x_flushing_reserved));
      x_since_ns = 0;  // the next pass over idle files tries it again
    }
    release_unused();
  }
  for (FlushWaiter& waiter : waiters) {
    waiter.resume(waiter.target <= taken ? result : ok());
  }
}

bool DirtyFile::close_gate() {
  const std::lock_guard lock(x_mutex);
  if (x_retired) {
    return false;
  }
  ++x_gates;
  ++x_epoch;
  return true;
}

void DirtyFile::truncate(std::uint64_t size) {
  const std::lock_guard lock(x_mutex);
  OUTCROP_ASSERT(x_gates > 0);
  x_runs.cut(size, UINT64_MAX);
  x_flushing.cut(size, UINT64_MAX);
  release_unused();
}

void DirtyFile::stamp(std::int64_t mtime_ns, std::int64_t ctime_ns) {
  const std::lock_guard lock(x_mutex);
  x_mtime_ns = mtime_ns;
  x_ctime_ns = ctime_ns;
}

void DirtyFile::open_gate() {
  std::vector<Resume<void>> waiters;
  {
    const std::lock_guard lock(x_mutex);
    OUTCROP_ASSERT(x_gates > 0);
    --x_gates;
    ++x_epoch;
    if (x_gates == 0) {
      waiters = std::exchange(x_gate_waiters, {});
    }
  }
  for (Resume<void>& resume : waiters) {
    resume(ok());
  }
}

void DirtyFile::wait_gate(Resume<void> resume) {
  {
    const std::lock_guard lock(x_mutex);
    if (x_gates > 0) {
      x_gate_waiters.push_back(std::move(resume));
      return;
    }
  }
  resume(ok());
}

void DirtyFile::drop() {
  const std::lock_guard lock(x_mutex);
  x_runs = {};
  x_flushing = {};
  release_unused();
}

// x_mutex is held. What is left of a cut may still need all that was reserved.
void DirtyFile::release_unused() {
  if (x_runs.empty()) {
    x_runs_reserved.release();
  }
  if (x_flushing.empty()) {
    x_flushing_reserved.release();
  }
}

Task<> pass_gate(DirtyFile& file) {
  return suspend<void>([&file](Resume<void> resume) { file.wait_gate(std::move(resume)); });
}

GateHold::~GateHold() {
  if (x_file) {
    x_file->open_gate();
  }
}

DirtyFilePtr DirtyTable::find(InodeId ino) {
  if (!any()) {
    return nullptr;
  }
  Shard& s = shard(ino);
  const std::lock_guard lock(s.mutex);
  const auto it = s.files.find(ino);
  return it == s.files.end() ? nullptr : it->second;
}

DirtyFilePtr DirtyTable::open(InodeId ino) {
  Shard& s = shard(ino);
  const std::lock_guard lock(s.mutex);
  DirtyFilePtr& file = s.files[ino];
  if (!file) {
    file = std::make_shared<DirtyFile>(ino, x_budget, x_changes);
    x_count.fetch_add(1);
  }
  return file;
}

DirtyView DirtyTable::view(InodeId ino, std::uint64_t from, std::uint64_t to) {
  const DirtyFilePtr file = find(ino);
  return file ? file->view(from, to) : DirtyView{};
}

GateHold DirtyTable::close_gate(InodeId ino) {
  for (;;) {
    DirtyFilePtr file = open(ino);
    if (file->close_gate()) {
      return GateHold(std::move(file));
    }
  }
}

void DirtyTable::retire(const DirtyFilePtr& file) {
  Shard& s = shard(file->ino());
  const std::lock_guard lock(s.mutex);
  const std::lock_guard file_lock(file->x_mutex);
  if (file->x_retired || !file->idle()) {
    return;
  }
  file->x_retired = true;
  ++file->x_epoch;  // a reader that looked here may have missed what a new file saw
  s.files.erase(file->ino());
  x_count.fetch_sub(1);
}

void DirtyTable::drop(InodeId ino) {
  if (const DirtyFilePtr file = find(ino)) {
    file->drop();
    retire(file);
  }
}

std::vector<DirtyFilePtr> DirtyTable::all() {
  std::vector<DirtyFilePtr> out;
  for (Shard& s : x_shards) {
    const std::lock_guard lock(s.mutex);
    for (const auto& [ino, file] : s.files) {
      out.push_back(file);
    }
  }
  return out;
}

}  // namespace outcrop::ns
