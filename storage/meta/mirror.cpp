#include "storage/meta/mirror.h"

#include <charconv>

#include "storage/base/log.h"
#include "storage/digest/xxh.h"
#include "storage/meta/tables.h"

namespace outcrop::meta {
namespace {

constexpr std::uint32_t kMarkerMagic = 0x524d544f;  // "OTMR"
constexpr std::uint16_t kMarkerVersion = 1;
constexpr std::size_t kMarkerBytes = 4 + 2 + 16 + 8 + 8;
constexpr std::string_view kMarker = "meta/current";
constexpr std::string_view kMarkerTemporary = "meta/current.new";
constexpr std::string_view kCreated = "meta/created";

std::string marker_bytes(const Uuid& cluster, std::uint64_t instance) {
  Writer w;
  w.u32(kMarkerMagic);
  w.u16(kMarkerVersion);
  w.bytes(std::as_bytes(std::span(cluster.bytes)));
  w.u64(instance);
  w.u64(digest::xxh3_64(as_bytes(w.view())));
  return std::move(w).take();
}

Result<std::uint64_t> parse_marker(const Uuid& cluster, ConstBytes in) {
  Reader r(in);
  r.take(4 + 2 + 16);
  const std::uint64_t instance = r.u64();
  if (!r.ok() || as_text(in) != marker_bytes(cluster, instance)) {
    return fail(Errc::corrupt, "meta/current does not verify");
  }
  return instance;
}

Result<void> write_file(io::Disk& disk,
                        std::string_view temporary,
                        std::string_view path,
                        std::string_view content) {
  if (auto gone = disk.remove(temporary); !gone && gone.error().code() != Errc::not_found) {
    return gone;
  }
  {
    TRY(const auto file, disk.open(temporary, io::Access::create, io::Cache::buffered));
    TRYV(file->write_sync(0, as_bytes(content)));
    TRYV(file->sync());
  }
  return disk.rename(temporary, path);
}

Result<std::uint64_t> read_marker(io::Disk& disk, const Uuid& cluster) {
  TRY(const auto file, disk.open(kMarker, io::Access::read, io::Cache::buffered));
  std::array<std::byte, kMarkerBytes> bytes{};
  TRY(const std::size_t n, file->read_sync(0, bytes));
  return parse_marker(cluster, ConstBytes(bytes).first(n));
}

std::string dir_of(std::uint64_t instance) { return "meta/" + std::to_string(instance); }

std::optional<std::uint64_t> parse_number(std::string_view name) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), n);
  if (ec != std::errc{} || end != name.data() + name.size()) {
    return std::nullopt;
  }
  return n;
}

}  // namespace

std::string position_key(unsigned worker) {
  std::string key = table_key(Table::journal);
  put_be64(key, worker);
  return key;
}

std::string floor_key() { return table_key(Table::journal, "floor"); }

std::string void_key(Sequence sequence) {
  std::string key = table_key(Table::journal, "void");
  put_be64(key, sequence);
  return key;
}

std::string position_value(Sequence sequence) {
  Writer w;
  w.u64(sequence);
  return std::move(w).take();
}

IndexOptions Mirror::watched(IndexOptions options, const std::shared_ptr<Mirror>& mirror) {
  // RocksDB calls this on its own threads, while the mirror that owns it lives.
  // A full drive is no failure: writes are refused until resume() finds room.
  options.on_background_error = [raw = mirror.get(), alert = options.on_background_error](Error e) {
    if (e.code() == Errc::no_space) {
      return;
    }
    raw->mark_failed(e);
    if (alert) {
      alert(std::move(e));
    }
  };
  return options;
}

Result<std::shared_ptr<Mirror>> Mirror::open(drives::DriveSet& drives,
                                             drives::Slot slot,
                                             const IndexOptions& options) {
  io::Disk& disk = *drives.disk(slot);
  TRY(const std::uint64_t instance, read_marker(disk, drives.cluster()));
  auto mirror = std::make_shared<Mirror>(slot, dir_of(instance));
  TRY(mirror->x_index, RocksIndex::open(disk, mirror->x_dir, watched(options, mirror), false));
  return mirror;
}

Result<std::shared_ptr<Mirror>> Mirror::create(drives::DriveSet& drives,
                                               drives::Slot slot,
                                               const IndexOptions& options) {
  io::Disk& disk = *drives.disk(slot);
  TRYV(disk.make_dir("meta"));
  TRY(const auto names, disk.list("meta"));
  std::uint64_t instance = 0;
  for (const std::string& name : names) {
    if (const auto n = parse_number(name)) {
      instance = std::max(instance, *n + 1);
    }
  }
  auto mirror = std::make_shared<Mirror>(slot, dir_of(instance));
  TRYV(disk.make_dir(mirror->x_dir));
  TRY(mirror->x_index, RocksIndex::open(disk, mirror->x_dir, watched(options, mirror), true));
  return mirror;
}

Result<void> Mirror::publish(drives::DriveSet& drives) {
  io::Disk& disk = *drives.disk(x_slot);
  const std::uint64_t instance = *parse_number(std::string_view(x_dir).substr(5));
  TRYV(disk.sync_dir("meta"));
  return write_file(disk, kMarkerTemporary, kMarker, marker_bytes(drives.cluster(), instance));
}

Result<Positions> Mirror::read_positions() {
  Positions out;
  ScanRequest request{.lower = table_key(Table::journal),
                      .upper = prefix_end(table_key(Table::journal)),
                      .limit = 1 << 20};
  ScanPage page;
  TRYV(x_index->scan(request, Tier::drive, nullptr, page));
  for (const KeyValue& e : page.entries) {
    const std::string_view rest = std::string_view(e.key).substr(1);
    Reader r(std::string_view(e.value));
    const Sequence sequence = r.u64();
    if (!r.done()) {
      return fail(Errc::corrupt, "metadata index: a journal position is malformed");
    }
    if (rest == "floor") {
      out.floor = sequence;
    } else if (rest.size() == 8) {
      out.applied[static_cast<unsigned>(get_be64(rest))] = sequence;
    } else if (rest.starts_with("void")) {
      out.voided.insert(sequence);
    }
  }
  return out;
}

bool Mirror::mark_failed(const Error& why) {
  const std::lock_guard lock(x_mutex);
  if (x_why) {
    return false;
  }
  x_why = why;
  x_failed.store(true, std::memory_order_release);
  if (why.code() == Errc::cancelled) {
    log::info("a metadata mirror goes",
              {{"slot", static_cast<unsigned>(x_slot)}, {"why", why.detail()}});
  } else {
    log::error(
        "a metadata mirror failed",
        {{"slot", static_cast<unsigned>(x_slot)}, {"dir", x_dir}, {"error", why.describe()}});
  }
  return true;
}

Error Mirror::why() const {
  const std::lock_guard lock(x_mutex);
  return x_why ? *x_why : Error(Errc::internal);
}

bool Mirror::enqueue(Updates updates) {
  const std::lock_guard lock(x_mutex);
  if (x_why) {
    return false;
  }
  x_queued_bytes.fetch_add(updates->size(), std::memory_order_relaxed);
  x_queue.push_back(std::move(updates));
  return !std::exchange(x_draining, true);
}

void Mirror::hold() {
  const std::lock_guard lock(x_mutex);
  x_draining = true;
}

void Mirror::drain() {
  const std::lock_guard one(x_apply_mutex);
  for (;;) {
    Updates next;
    {
      const std::lock_guard lock(x_mutex);
      if (x_queue.empty() || x_why) {
        x_queue.clear();
        x_queued_bytes.store(0, std::memory_order_release);
        x_draining = false;
        return;
      }
      next = std::move(x_queue.front());
      x_queue.pop_front();
    }
    auto done = x_index->apply(*next, true);
    if (!done && done.error().code() == Errc::no_space && x_index->resume()) {
      done = x_index->apply(*next, true);
    }
    if (!done) {
      mark_failed(done.error());
    }
    x_queued_bytes.fetch_sub(next->size(), std::memory_order_release);
  }
}

// A drive that does not answer is no proof that nothing was created.
Result<bool> store_was_created(drives::DriveSet& drives) {
  std::optional<Error> unsure;
  for (drives::Slot slot = 0; slot < drives.slots(); ++slot) {
    io::Disk* disk = drives.disk(slot);
    if (disk == nullptr) {
      continue;
    }
    const auto marked = disk->exists(kCreated);
    if (marked && *marked) {
      return true;
    }
    const auto journals = disk->list("journal");
    if (journals && !journals->empty()) {
      return true;
    }
    if (!marked) {
      unsure = marked.error();
    } else if (!journals && journals.error().code() != Errc::not_found) {
      unsure = journals.error();
    }
  }
  return unsure ? Result<bool>(fail(*unsure)) : Result<bool>(false);
}

namespace {

Result<void> mark_drive(io::Disk& disk) {
  TRYV(disk.make_dir("meta"));
  TRYV(disk.make_dir("journal"));
  TRY(const bool marked, disk.exists(kCreated));
  if (marked) {
    return ok();
  }
  TRY(const auto file, disk.open(kCreated, io::Access::create, io::Cache::buffered));
  TRYV(file->sync());
  return disk.sync_dir("meta");
}

}  // namespace

Result<void> mark_store_created(drives::DriveSet& drives) {
  std::size_t marks = 0;
  std::optional<Error> full;
  for (const drives::Slot slot : drives.live_slots()) {
    const auto marked = mark_drive(*drives.disk(slot));
    if (marked) {
      ++marks;
      continue;
    }
    const Error& why = marked.error();
    if (why.code() == Errc::no_space) {
      log::warn("a drive is not marked as used",
                {{"drive", drives.disk(slot)->name()}, {"error", why.describe()}});
      full = why;
    } else if (auto out = drives.eject(slot, why); !out && out.error().code() != Errc::read_only) {
      return out;
    }
  }
  return !full || marks > drives.parity() ? ok() : fail(*full);
}

Result<void> remove_other_mirrors(io::Disk& disk, const std::string& keep) {
  auto names = disk.list("meta");
  if (!names) {
    return names.error().code() == Errc::not_found ? ok() : Result<void>(fail(names.error()));
  }
  for (const std::string& name : *names) {
    const std::string dir = "meta/" + name;
    if (parse_number(name) && dir != keep) {
      TRYV(disk.remove_tree(dir));
    }
  }
  return ok();
}

}  // namespace outcrop::meta
