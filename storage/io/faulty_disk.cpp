// The decorators that carry a FaultPlan out.
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <thread>

#include "storage/io/faults.h"
#include "storage/io/syscalls.h"

namespace outcrop::io {
namespace {

using Strike = FaultPlan::Strike;
constexpr std::size_t kSectorBytes = 512;

void wait(const Strike& strike) {
  std::this_thread::sleep_for(std::chrono::milliseconds(strike.delay_ms));
}

class FaultyDisk final : public Disk {
 public:
  FaultyDisk(std::unique_ptr<Disk> inner, unsigned drive, std::shared_ptr<FaultPlan> plan)
      : Disk(inner->health()), x_inner(std::move(inner)), x_drive(drive), x_plan(std::move(plan)) {}

  std::string_view name() const override { return x_inner->name(); }
  DiskStats& stats() override { return x_inner->stats(); }
  std::shared_ptr<DiskStats> share_stats() override { return x_inner->share_stats(); }
  Result<std::unique_ptr<File>> open(std::string_view path, Access access, Cache cache) override;
  Result<void> prewrite(std::string_view path, std::uint64_t size) override {
    TRYV(gate(SimStep::prewrite, path));
    TRYV(x_inner->prewrite(path, size));
    return after_in_directory_of(path);
  }
  void probe(std::string_view path, std::move_only_function<void()> answered) override {
    x_inner->probe(path, std::move(answered));
  }
  Result<void> rename(std::string_view from, std::string_view to) override {
    TRYV(gate(SimStep::rename, from));
    TRYV(x_inner->rename(from, to));
    return after_in_directory_of(to);
  }
  Result<void> remove(std::string_view path) override {
    // Two places to fail at, before and after it was done: who removes cares for neither.
    TRYV(gate(SimStep::remove, path));
    TRYV(x_inner->remove(path));
    return gate(SimStep::remove, path);
  }
  Result<void> make_dir(std::string_view path) override {
    TRYV(gate(SimStep::make_dir, path));
    TRYV(x_inner->make_dir(path));
    return after_in_directory_of(path);
  }
  Result<void> remove_tree(std::string_view path) override {
    TRYV(gate(SimStep::remove_tree, path));
    return x_inner->remove_tree(path);
  }
  Result<void> sync_dir(std::string_view path) override {
    TRYV(gate(SimStep::sync_dir, path));
    return x_inner->sync_dir(path);
  }
  Result<std::vector<std::string>> list(std::string_view path) override {
    TRYV(gate(SimStep::read, path));
    return x_inner->list(path);
  }
  Result<bool> exists(std::string_view path) override {
    TRYV(gate(SimStep::read, path));
    return x_inner->exists(path);
  }
  Result<Space> space() override { return x_inner->space(); }
  Result<void> lock() override {
    TRYV(gate(SimStep::read, "lock"));
    return x_inner->lock();
  }
  void retire() override { x_inner->retire(); }
  bool released() const override { return x_inner->released(); }
  bool present() override { return x_inner->present(); }
  /// RocksDB must not open files behind our back: storage/kvfs brings its calls here.
  std::string native_path(std::string_view) const override { return {}; }
  std::uint64_t filesystem_id() const override { return x_inner->filesystem_id(); }
  std::uint64_t parent_filesystem_id() const override { return x_inner->parent_filesystem_id(); }

  std::optional<Strike> decide(SimStep step, std::string_view path, bool durable = false) {
    return x_plan->decide({x_drive, step, path, durable}, true);
  }
  /// For calls that are one thing: they fail, or wait.
  Result<void> gate(SimStep step, std::string_view path) {
    const auto strike = x_plan->decide({x_drive, step, path}, false);
    if (strike && strike->kind == FaultKind::delay) {
      wait(*strike);
    }
    return strike && strike->kind == FaultKind::error ? fail_errno(strike->error_number) : ok();
  }

 private:
  /// The directory sync within a call, which fails after the change was made. It is told by what
  /// was changed.
  Result<void> after_in_directory_of(std::string_view path) {
    return gate(SimStep::sync_dir, path);
  }

  const std::unique_ptr<Disk> x_inner;
  const unsigned x_drive;
  const std::shared_ptr<FaultPlan> x_plan;
};

class FaultyFile final : public File {
 public:
  FaultyFile(FaultyDisk& disk, std::unique_ptr<File> inner, std::string path)
      : x_disk(disk), x_inner(std::move(inner)), x_path(std::move(path)) {}

  int fd() const override { return x_inner->fd(); }
  bool direct() const override { return x_inner->direct(); }
  Disk& disk() const override { return x_disk; }
  std::shared_ptr<const void> share() const override { return x_inner->share(); }
  Result<std::uint64_t> size() const override {
    TRYV(x_disk.gate(SimStep::read, x_path));
    return x_inner->size();
  }
  Result<std::size_t> read_sync(std::uint64_t offset, MutBytes out) override;
  Result<void> write_sync(std::uint64_t offset, ConstBytes data) override;
  Result<void> truncate(std::uint64_t size) override {
    TRYV(x_disk.gate(SimStep::truncate, x_path));
    return x_inner->truncate(size);
  }
  Result<void> punch(std::uint64_t offset, std::uint64_t length) override {
    TRYV(x_disk.gate(SimStep::punch, x_path));
    return x_inner->punch(offset, length);
  }
  Result<bool> whole() const override {
    TRYV(x_disk.gate(SimStep::read, x_path));
    return x_inner->whole();
  }
  Result<void> sync() override;

  File& inner() { return *x_inner; }
  std::optional<Strike> decide(const IoOp& op) {
    const SimStep step = op.kind == OpKind::read    ? SimStep::read
                         : op.kind == OpKind::write ? SimStep::write
                                                    : SimStep::sync;
    return x_disk.decide(step, x_path, op.durable);
  }
  /// Another place for a transfer of this length; the same where the file has no other.
  std::uint64_t elsewhere(std::uint64_t offset, std::size_t length, std::uint64_t random) const;
  /// What is on the drive once some sectors of `data` are, and the others are as they were.
  Buffer torn(std::uint64_t offset, ConstBytes data, std::uint64_t random);

 private:
  FaultyDisk& x_disk;
  const std::unique_ptr<File> x_inner;
  const std::string x_path;
};

void flip_bit(MutBytes bytes, std::uint64_t random) {
  if (!bytes.empty()) {
    bytes[random % bytes.size()] ^= std::byte{1} << (random >> 32) % 8;
  }
}

Buffer flipped(ConstBytes data, std::uint64_t random) {
  Buffer copy = Buffer::copy_of(data);
  flip_bit(copy.writable(), random);
  return copy;
}

/// What of a transfer is done before it fails: whole blocks, so that direct files take it.
std::size_t part_of(std::size_t length, std::uint64_t random) {
  return length == 0 ? 0 : random % length / kIoAlign * kIoAlign;
}

Error short_write() { return errno_error(EIO); }

std::uint64_t FaultyFile::elsewhere(std::uint64_t offset,
                                    std::size_t length,
                                    std::uint64_t random) const {
  const auto size = x_inner->size();
  if (!size || *size < length + kIoAlign) {
    return offset;
  }
  const std::uint64_t places = (*size - length) / kIoAlign + 1;
  const std::uint64_t at = random % places * kIoAlign;
  return at != offset ? at : (random + 1) % places * kIoAlign;
}

Buffer FaultyFile::torn(std::uint64_t offset, ConstBytes data, std::uint64_t random) {
  Buffer mixed = Buffer::zeroed(data.size());
  [[maybe_unused]] const auto old = x_inner->read_sync(offset, mixed.writable());
  SeededRandom coin(random);
  for (std::size_t at = 0; at < data.size(); at += kSectorBytes) {
    if (coin.next() % 2 == 0) {
      std::memcpy(mixed.data() + at, data.data() + at, std::min(kSectorBytes, data.size() - at));
    }
  }
  return mixed;
}

Result<std::size_t> FaultyFile::read_sync(std::uint64_t offset, MutBytes out) {
  const auto strike = x_disk.decide(SimStep::read, x_path);
  if (!strike) {
    return x_inner->read_sync(offset, out);
  }
  switch (strike->kind) {
    case FaultKind::error:
      return fail_errno(strike->error_number);
    case FaultKind::short_count:
      return x_inner->read_sync(offset, out.first(part_of(out.size(), strike->random)));
    case FaultKind::misdirected:
      return x_inner->read_sync(elsewhere(offset, out.size(), strike->random), out);
    case FaultKind::delay:
      wait(*strike);
      break;
    default:
      break;
  }
  TRY(const std::size_t got, x_inner->read_sync(offset, out));
  if (strike->kind == FaultKind::flip) {
    flip_bit(out.first(got), strike->random);
  }
  return got;
}

Result<void> FaultyFile::write_sync(std::uint64_t offset, ConstBytes data) {
  const auto strike = x_disk.decide(SimStep::write, x_path);
  if (!strike) {
    return x_inner->write_sync(offset, data);
  }
  switch (strike->kind) {
    case FaultKind::error:
      return fail_errno(strike->error_number);
    case FaultKind::short_count: {
      TRYV(x_inner->write_sync(offset, data.first(part_of(data.size(), strike->random))));
      return fail(short_write());
    }
    case FaultKind::lost:
      return ok();
    case FaultKind::flip:
      return x_inner->write_sync(offset, flipped(data, strike->random).view());
    case FaultKind::torn:
      return x_inner->write_sync(offset, torn(offset, data, strike->random).view());
    case FaultKind::misdirected: {
      const std::uint64_t at = elsewhere(offset, data.size(), strike->random);
      return at == offset ? ok() : x_inner->write_sync(at, data);
    }
    case FaultKind::delay:
      wait(*strike);
      break;
  }
  return x_inner->write_sync(offset, data);
}

Result<void> FaultyFile::sync() {
  const auto strike = x_disk.decide(SimStep::sync, x_path);
  if (strike && strike->kind == FaultKind::error) {
    return fail_errno(strike->error_number);
  }
  if (strike && strike->kind == FaultKind::delay) {
    wait(*strike);
  }
  return strike && strike->kind == FaultKind::lost ? ok() : x_inner->sync();
}

Result<std::unique_ptr<File>> FaultyDisk::open(std::string_view path, Access access, Cache cache) {
  TRYV(gate(access == Access::create ? SimStep::create : SimStep::read, path));
  TRY(auto file, x_inner->open(path, access, cache));
  return std::make_unique<FaultyFile>(*this, std::move(file), std::string(path));
}

/// One batch of the caller's, and what of it goes to the inner back end.
struct Batch {
  std::span<IoOp> ops;
  std::move_only_function<void()> done;
  std::vector<IoOp> inner;
  std::vector<std::size_t> origin;             // of each of `inner`: the op it stands for
  std::vector<std::optional<Strike>> strikes;  // by op
  unsigned delay_ms = 0;
};

class FaultyBackend final : public IoBackend {
 public:
  FaultyBackend(std::unique_ptr<IoBackend> inner, asio::io_context& io)
      : x_io(io), x_inner(std::move(inner)) {}
  std::string_view name() const override { return x_inner->name(); }
  void set_hedge(unsigned drives) override { x_inner->set_hedge(drives); }

  void submit(std::span<IoOp> ops, std::move_only_function<void()> done) override {
    auto batch = std::make_shared<Batch>();
    batch->ops = ops;
    batch->done = std::move(done);
    batch->strikes.resize(ops.size());
    for (std::size_t i = 0; i < ops.size(); ++i) {
      plan(*batch, i);
    }
    if (batch->delay_ms == 0) {
      return pass_on(std::move(batch));
    }
    auto timer = std::make_unique<asio::steady_timer>(x_io);
    timer->expires_after(std::chrono::milliseconds(batch->delay_ms));
    asio::steady_timer& started = *timer;
    started.async_wait([this, batch = std::move(batch),
                        timer = std::move(timer)](boost::system::error_code) { pass_on(batch); });
  }

 private:
  static void plan(Batch& batch, std::size_t index);
  static void settle(Batch& batch);

  void pass_on(std::shared_ptr<Batch> batch) {
    const std::span<IoOp> inner = batch->inner;
    x_inner->submit(inner, [batch = std::move(batch)] {
      settle(*batch);
      batch->done();
    });
  }

  asio::io_context& x_io;
  const std::unique_ptr<IoBackend> x_inner;
};

/// Decides over one op: its result is set, or an inner op stands for it.
void FaultyBackend::plan(Batch& batch, std::size_t index) {
  IoOp& op = batch.ops[index];
  IoOp real = op;
  std::optional<Strike>& strike = batch.strikes[index];
  auto* const file = dynamic_cast<FaultyFile*>(op.file);
  if (file != nullptr) {
    strike = file->decide(op);
    real.file = &file->inner();
  }
  if (strike) {
    const ConstBytes data = op.buffer.view();
    const bool write = op.kind == OpKind::write;
    switch (strike->kind) {
      case FaultKind::error:
        op.result = fail_errno(strike->error_number);
        return;
      case FaultKind::lost:
        op.result = ok();
        return;
      case FaultKind::short_count:
        real.buffer = op.buffer.slice(0, part_of(data.size(), strike->random));
        break;
      case FaultKind::misdirected:
        real.offset = file->elsewhere(op.offset, data.size(), strike->random);
        if (write && real.offset == op.offset) {
          op.result = ok();
          return;
        }
        break;
      case FaultKind::flip:
        real.buffer = write ? flipped(data, strike->random) : op.buffer;
        break;
      case FaultKind::torn:
        real.buffer = file->torn(op.offset, data, strike->random);
        break;
      case FaultKind::delay:
        batch.delay_ms = std::max(batch.delay_ms, strike->delay_ms);
        break;
    }
  }
  batch.inner.push_back(std::move(real));
  batch.origin.push_back(index);
}

void FaultyBackend::settle(Batch& batch) {
  for (std::size_t i = 0; i < batch.inner.size(); ++i) {
    IoOp& op = batch.ops[batch.origin[i]];
    op.result = std::move(batch.inner[i].result);
    const auto& strike = batch.strikes[batch.origin[i]];
    if (!strike || !op.result) {
      continue;
    }
    if (strike->kind == FaultKind::flip && op.kind == OpKind::read) {
      flip_bit(op.buffer.writable(), strike->random);
    }
    if (strike->kind == FaultKind::short_count) {
      op.result = op.kind == OpKind::read ? fail(Errc::corrupt, "read past the end of the file")
                                          : fail(short_write());
    }
  }
}

}  // namespace

std::unique_ptr<Disk> make_faulty(std::unique_ptr<Disk> disk,
                                  unsigned drive,
                                  std::shared_ptr<FaultPlan> plan) {
  return std::make_unique<FaultyDisk>(std::move(disk), drive, std::move(plan));
}

std::unique_ptr<IoBackend> make_faulty(std::unique_ptr<IoBackend> inner, asio::io_context& io) {
  return std::make_unique<FaultyBackend>(std::move(inner), io);
}

}  // namespace outcrop::io
