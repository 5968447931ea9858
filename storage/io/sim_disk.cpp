// The handles of a simulated drive: Disk, File and IoBackend over SimWorld::State.
#include "storage/io/sim_disk.h"

#include <cerrno>

#include "storage/io/sim_state.h"
#include "storage/io/syscalls.h"
#include "storage/io/watch.h"

namespace outcrop::io {
namespace {

using State = SimWorld::State;
using Verdict = SimWorld::State::Verdict;

class SimDisk final : public Disk {
 public:
  SimDisk(std::shared_ptr<State> state, unsigned drive, SimBirth born)
      : x_state(std::move(state)),
        x_drive(drive),
        x_born(born),
        x_name("sim" + std::to_string(drive)) {}
  ~SimDisk() override;

  std::string_view name() const override { return x_name; }
  DiskStats& stats() override { return x_stats; }
  Result<std::unique_ptr<File>> open(std::string_view path, Access access, Cache cache) override;
  Result<void> prewrite(std::string_view path, std::uint64_t size) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view path) override;
  Result<void> make_dir(std::string_view path) override;
  Result<void> remove_tree(std::string_view path) override;
  Result<void> sync_dir(std::string_view path) override;
  Result<std::vector<std::string>> list(std::string_view path) override;
  Result<bool> exists(std::string_view path) override;
  Result<Space> space() override;
  Result<void> lock() override;
  bool present() override;
  void retire() override;
  bool released() const override { return x_retired.load() && x_files.load() == 0; }
  std::string native_path(std::string_view) const override { return {}; }
  /// Each drive is a filesystem of its own, mounted on filesystem 1.
  std::uint64_t filesystem_id() const override { return 100 + x_drive; }
  std::uint64_t parent_filesystem_id() const override { return 1; }

  template <class Apply>
  Result<void> step(SimStep step, std::string_view path, Apply apply, bool durable = false) {
    if (x_retired.load()) {
      return fail(Errc::io_error, ENODEV);
    }
    return x_state->step({x_drive, step, path, durable}, x_born, std::move(apply));
  }
  State& state() { return *x_state; }
  unsigned drive() const { return x_drive; }
  SimBirth born() const { return x_born; }
  void file_opened() { x_files.fetch_add(1); }
  void file_closed() {
    if (x_files.fetch_sub(1) == 1 && x_retired.load()) {
      unlock();
    }
  }

 private:
  void unlock() {
    const std::lock_guard lock(x_state->mutex);
    x_state->release_lock(x_drive, this);
  }
  Result<void> sync_parent(std::string_view path) { return sync_dir(sim::split_path(path).first); }

  const std::shared_ptr<State> x_state;
  const unsigned x_drive;
  const SimBirth x_born;
  const std::string x_name;
  DiskStats x_stats;
  std::atomic<bool> x_retired{false};
  std::atomic<unsigned> x_files{0};
};

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, sim::Ino ino, std::string path, bool direct, bool writable)
      : x_disk(disk), x_ino(ino), x_path(std::move(path)), x_direct(direct), x_writable(writable) {
    x_disk.file_opened();
  }
  ~SimFile() override { x_disk.file_closed(); }
  SimFile(const SimFile&) = delete;

  int fd() const override { return -1; }
  bool direct() const override { return x_direct; }
  Disk& disk() const override { return x_disk; }
  Result<std::uint64_t> size() const override;
  Result<std::size_t> read_sync(std::uint64_t offset, MutBytes out) override;
  Result<void> write_sync(std::uint64_t offset, ConstBytes data) override {
    return write(offset, data, false);
  }
  Result<void> truncate(std::uint64_t size) override;
  Result<void> punch(std::uint64_t offset, std::uint64_t length) override;
  Result<bool> whole() const override;
  Result<void> sync() override;

  Result<void> write(std::uint64_t offset, ConstBytes data, bool durable);
  void leave_torn(const IoOp& op) {
    x_disk.state().leave_torn(x_disk.drive(), x_disk.born(), x_ino, op.offset, op.buffer.view(),
                              op.durable);
  }
  bool alive() { return x_disk.state().alive(x_disk.drive(), x_disk.born()); }
  bool hung() { return x_disk.state().hung(x_disk.drive()); }

 private:
  Result<void> check_writable() const { return x_writable ? ok() : fail(Errc::io_error, EBADF); }

  SimDisk& x_disk;
  const sim::Ino x_ino;
  const std::string x_path;
  const bool x_direct;
  const bool x_writable;
};

Result<std::uint64_t> SimFile::size() const {
  std::uint64_t size = 0;
  TRYV(x_disk.step(SimStep::read, x_path, [&](sim::Drive& drive, Verdict) {
    size = drive.file(x_ino)->size();
    return ok();
  }));
  return size;
}

Result<std::size_t> SimFile::read_sync(std::uint64_t offset, MutBytes out) {
  TRYV(check_transfer(*this, offset, out));
  std::size_t got = 0;
  auto result = x_disk.step(SimStep::read, x_path, [&](sim::Drive& drive, Verdict) -> Result<void> {
    const sim::FileData& file = *drive.file(x_ino);
    if (!file.readable(offset, out.size())) {
      return fail(Errc::io_error, EIO);
    }
    got = file.read(offset, out);
    return ok();
  });
  account(x_disk.stats(), OpKind::read, got, 0, result.has_value());
  TRYV(std::move(result));
  return got;
}

Result<void> SimFile::write(std::uint64_t offset, ConstBytes data, bool durable) {
  TRYV(check_transfer(*this, offset, data));
  TRYV(check_writable());
  auto result = x_disk.step(
      SimStep::write, x_path,
      [&](sim::Drive& drive, Verdict verdict) {
        drive.file(x_ino)->write(offset, data, durable && !verdict.hushed,
                                 verdict.torn ? x_disk.state().coin() : nullptr);
        return ok();
      },
      durable);
  account(x_disk.stats(), OpKind::write, data.size(), 0, result.has_value());
  return result;
}

Result<void> SimFile::truncate(std::uint64_t size) {
  TRYV(check_writable());
  return x_disk.step(SimStep::truncate, x_path, [&](sim::Drive& drive, Verdict verdict) {
    if (x_disk.state().happens(verdict)) {
      drive.file(x_ino)->truncate(size);
    }
    return ok();
  });
}

Result<void> SimFile::punch(std::uint64_t offset, std::uint64_t length) {
  TRYV(check_writable());
  return x_disk.step(SimStep::punch, x_path, [&](sim::Drive& drive, Verdict verdict) {
    if (x_disk.state().happens(verdict)) {
      drive.file(x_ino)->punch(offset, length);
    }
    return ok();
  });
}

Result<bool> SimFile::whole() const {
  bool whole = true;
  TRYV(x_disk.step(SimStep::read, x_path, [&](sim::Drive& drive, Verdict) {
    whole = drive.file(x_ino)->whole();
    return ok();
  }));
  return whole;
}

Result<void> SimFile::sync() {
  auto result = x_disk.step(SimStep::sync, x_path, [&](sim::Drive& drive, Verdict verdict) {
    if (!verdict.hushed) {
      drive.file(x_ino)->sync(verdict.torn ? x_disk.state().coin() : nullptr);
    }
    return ok();
  });
  account(x_disk.stats(), OpKind::sync, 0, 0, result.has_value());
  return result;
}

SimDisk::~SimDisk() { unlock(); }

void SimDisk::retire() {
  health()->give_up();
  x_retired.store(true);
  if (x_files.load() == 0) {
    unlock();
  }
}

Result<std::unique_ptr<File>> SimDisk::open(std::string_view path, Access access, Cache cache) {
  sim::Ino ino = 0;
  const SimStep kind = access == Access::create ? SimStep::create : SimStep::read;
  TRYV(step(kind, path, [&](sim::Drive& drive, Verdict verdict) -> Result<void> {
    if (access == Access::create) {
      if (x_state->happens(verdict)) {
        TRY(ino, drive.create(path, false));
      }
      return ok();
    }
    TRY(ino, drive.lookup(path));
    return drive.is_directory(ino) ? fail(Errc::io_error, EISDIR) : ok();
  }));
  return std::make_unique<SimFile>(*this, ino, std::string(path), cache == Cache::direct,
                                   access != Access::read);
}

Result<void> SimDisk::prewrite(std::string_view path, std::uint64_t size) {
  TRYV(step(SimStep::prewrite, path, [&](sim::Drive& drive, Verdict verdict) -> Result<void> {
    if (drive.size > 0 && drive.measured().free_bytes < size) {
      return fail(Errc::no_space, ENOSPC);
    }
    auto ino = drive.lookup(path);
    if (!ino && ino.error().code() == Errc::not_found) {
      ino = drive.create(path, false);
    }
    TRYV(ino);
    drive.file(*ino)->fill_zero(size, verdict.torn ? x_state->coin() : nullptr);
    return ok();
  }));
  return sync_parent(path);
}

Result<void> SimDisk::rename(std::string_view from, std::string_view to) {
  TRYV(step(SimStep::rename, from, [&](sim::Drive& drive, Verdict verdict) {
    return x_state->happens(verdict) ? drive.rename(from, to) : ok();
  }));
  TRYV(sync_parent(to));
  const bool same = sim::split_path(from).first == sim::split_path(to).first;
  return same ? ok() : sync_parent(from);
}

Result<void> SimDisk::remove(std::string_view path) {
  TRYV(step(SimStep::remove, path, [&](sim::Drive& drive, Verdict verdict) {
    return x_state->happens(verdict) ? drive.unlink(path) : ok();
  }));
  return sync_parent(path);
}

Result<void> SimDisk::make_dir(std::string_view path) {
  TRYV(step(SimStep::make_dir, path, [&](sim::Drive& drive, Verdict verdict) -> Result<void> {
    if (const sim::Inode* there = drive.find(path); there != nullptr) {
      return there->directory ? ok() : fail(Errc::already_exists, EEXIST);
    }
    if (x_state->happens(verdict)) {
      TRYV(drive.create(path, true));
    }
    return ok();
  }));
  return sync_parent(path);
}

Result<void> SimDisk::remove_tree(std::string_view path) {
  bool absent = false;
  TRYV(step(SimStep::remove_tree, path, [&](sim::Drive& drive, Verdict verdict) -> Result<void> {
    const auto ino = drive.lookup(path);
    absent = !ino && ino.error().code() == Errc::not_found;
    if (!absent) {
      TRYV(ino);
      TRYV(drive.parent(path));
      drive.unlink_tree(path, verdict.torn ? x_state->coin() : nullptr);
    }
    return ok();
  }));
  return absent ? ok() : sync_parent(path);
}

Result<void> SimDisk::sync_dir(std::string_view path) {
  auto result =
      step(SimStep::sync_dir, path, [&](sim::Drive& drive, Verdict verdict) -> Result<void> {
        TRY(const sim::Ino ino, drive.lookup(path));
        if (!verdict.hushed && x_state->happens(verdict)) {
          drive.sync_dir(ino);
        }
        return ok();
      });
  account(x_stats, OpKind::sync, 0, 0, result.has_value());
  return result;
}

Result<std::vector<std::string>> SimDisk::list(std::string_view path) {
  std::vector<std::string> names;
  TRYV(step(SimStep::read, path, [&](sim::Drive& drive, Verdict) -> Result<void> {
    TRYV(drive.lookup(path));
    const sim::Inode* dir = drive.find(path);
    if (!dir->directory) {
      return fail(Errc::io_error, ENOTDIR);
    }
    for (const auto& [name, ino] : dir->entries) {
      names.push_back(name);
    }
    return ok();
  }));
  return names;
}

Result<bool> SimDisk::exists(std::string_view path) {
  bool found = false;
  TRYV(step(SimStep::read, path, [&](sim::Drive& drive, Verdict) {
    found = drive.find(path) != nullptr;
    return ok();
  }));
  return found;
}

Result<Space> SimDisk::space() {
  Space space;
  TRYV(step(SimStep::read, "", [&](sim::Drive& drive, Verdict) {
    space = drive.measured();
    return ok();
  }));
  return space;
}

Result<void> SimDisk::lock() {
  TRY(const bool there, exists("lock"));
  if (!there) {
    TRYV(open("lock", Access::create, Cache::buffered));
  }
  return step(SimStep::read, "lock", [&](sim::Drive& drive, Verdict) -> Result<void> {
    if (drive.lock_holder != nullptr && drive.lock_holder != this) {
      return fail(Errc::already_exists, "another process uses drive " + x_name);
    }
    drive.lock_holder = this;
    return ok();
  });
}

bool SimDisk::present() {
  const std::lock_guard lock(x_state->mutex);
  return x_state->present(x_drive);
}

class SimBackend final : public IoBackend {
 public:
  SimBackend(std::shared_ptr<State> state, asio::io_context& io)
      : x_core(std::make_shared<Core>(std::move(state), io.get_executor())) {}
  ~SimBackend() override { x_core->stop(); }
  std::string_view name() const override { return "sim"; }
  void submit(std::span<IoOp> ops, std::move_only_function<void()> done) override {
    x_core->submit(ops, std::move(done));
  }
  void set_hedge(unsigned) override {}  // only a drive that hangs is late

 private:
  struct Batch {
    std::size_t remaining;
    std::move_only_function<void()> done;
  };
  struct Item {
    IoOp* op;
    std::shared_ptr<Batch> batch;
    bool alive;  // at submission: the drive may have begun it when the power goes
  };

  struct Core : std::enable_shared_from_this<Core> {
    Core(std::shared_ptr<State> s, Executor ex) : state(std::move(s)), executor(ex), timer(ex) {}

    void submit(std::span<IoOp> ops, std::move_only_function<void()> done) {
      if (ops.empty()) {
        asio::post(executor, std::move(done));
        return;
      }
      auto batch = std::make_shared<Batch>(ops.size(), std::move(done));
      for (IoOp& op : ops) {
        op.file->disk().stats().in_flight.fetch_add(1, std::memory_order_relaxed);
        items.push_back({&op, batch, file_of(op).alive()});
        asio::post(executor, [self = shared_from_this()] { self->serve_one(); });
      }
    }

    void serve_one() {
      if (items.empty()) {
        return;
      }
      std::swap(items[state->pick(items.size())], items.back());
      const Item item = std::move(items.back());
      items.pop_back();
      IoOp& op = *item.op;
      if (file_of(op).hung() && file_of(op).alive() && !op.hedged &&
          !op.file->disk().health()->given_up()) {
        park(item);
        return;
      }
      op.result = transfer(op);
      if (!op.result && op.kind == OpKind::write && item.alive && !file_of(op).alive()) {
        file_of(op).leave_torn(op);
      }
      op.file->disk().stats().in_flight.fetch_sub(1, std::memory_order_relaxed);
      if (--item.batch->remaining == 0) {
        item.batch->done();
      }
    }

    // Seen as late and hung for good, whatever the time is by the engine's clock.
    void park(const Item& item) {
      constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::max();
      item.op->file->disk().health()->saw_late(kAlways);
      item.op->file->disk().health()->saw_hung(kAlways);
      items.push_back(item);
      if (std::exchange(parked, true)) {
        return;
      }
      timer.expires_after(std::chrono::milliseconds(1));
      timer.async_wait([self = shared_from_this()](const boost::system::error_code&) {
        self->parked = false;
        for (std::size_t i = self->items.size(); i > 0; --i) {
          self->serve_one();
        }
      });
    }

    static SimFile& file_of(const IoOp& op) { return static_cast<SimFile&>(*op.file); }

    static Result<void> transfer(const IoOp& op) {
      if (op.hedged && file_of(op).hung()) {
        return fail(late_answer(op.file->disk()));
      }
      switch (op.kind) {
        case OpKind::read: {
          TRY(const std::size_t got, op.file->read_sync(op.offset, op.buffer.writable()));
          return got == op.buffer.size() ? ok()
                                         : fail(Errc::corrupt, "read past the end of the file");
        }
        case OpKind::write:
          return file_of(op).write(op.offset, op.buffer.view(), op.durable);
        case OpKind::sync:
          return op.file->sync();
      }
      return fail(Errc::internal);
    }

    void stop() {
      timer.cancel();
      items.clear();
    }

    const std::shared_ptr<State> state;
    const Executor executor;
    WatchTimer timer;
    bool parked = false;  // the timer runs
    std::vector<Item> items;
  };

  std::shared_ptr<Core> x_core;
};

}  // namespace

std::unique_ptr<Disk> open_sim_disk(std::shared_ptr<SimWorld::State> state,
                                    unsigned drive,
                                    SimBirth born) {
  return std::make_unique<SimDisk>(std::move(state), drive, born);
}

std::unique_ptr<IoBackend> make_sim_backend(std::shared_ptr<SimWorld::State> state,
                                            asio::io_context& io) {
  return std::make_unique<SimBackend>(std::move(state), io);
}

}  // namespace outcrop::io
