#include "storage/io/guarded_disk.h"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>

#include "storage/io/lone_thread.h"
#include "storage/io/syscalls.h"

namespace outcrop::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned kMostThreads = 32;
constexpr seconds kIdle{10};
/// A call that goes through all of a file or of a tree: this much for each MiB or entry besides.
constexpr milliseconds kPerMib{250};
constexpr unsigned kNeverHung = std::numeric_limits<unsigned>::max();
/// What RocksDB syncs was written before, through the page cache.
constexpr unsigned kSyncHungTicks = 4 * kHungTicks;
constexpr seconds kTreeLimit{300};

/// Threads that make calls, started when all others are busy and ended when idle. They share it, so
/// that one of them may hang for ever.
class CallThreads : public std::enable_shared_from_this<CallThreads> {
 public:
  void post(std::move_only_function<void()> call) {
    const std::lock_guard lock(x_mutex);
    x_calls.push_back(std::move(call));
    if (x_idle < x_calls.size() && x_threads < kMostThreads) {
      ++x_threads;
      start_lone_thread([self = shared_from_this()] { self->work(); });
    }
    x_wake.notify_one();
  }
  /// Waits for the threads to end, unless one of them hangs.
  void close(const DiskHealth& health) {
    std::unique_lock lock(x_mutex);
    x_closing = true;
    x_wake.notify_all();
    while (x_threads > 0 && !health.given_up()) {
      x_ended.wait_for(lock, kWatchTick);
    }
  }

 private:
  void work() {
    std::unique_lock lock(x_mutex);
    for (;;) {
      ++x_idle;
      const bool woken =
          x_wake.wait_for(lock, kIdle, [this] { return x_closing || !x_calls.empty(); });
      --x_idle;
      if (x_calls.empty()) {
        if (!woken || x_closing) {
          break;
        }
        continue;
      }
      auto call = std::move(x_calls.front());
      x_calls.pop_front();
      lock.unlock();
      call();
      call = nullptr;  // what it holds goes before anybody may think that we have ended
      lock.lock();
    }
    --x_threads;
    x_ended.notify_all();
  }

  std::mutex x_mutex;  // guards all below
  std::condition_variable x_wake, x_ended;
  std::deque<std::move_only_function<void()>> x_calls;
  unsigned x_threads = 0, x_idle = 0;
  bool x_closing = false;
};

/// What is shared of the disk inside. `gone` once that is closed: the last share goes before.
struct Inside {
  std::unique_ptr<Disk> disk;
  std::shared_ptr<std::atomic<bool>> gone;
  ~Inside() {
    disk.reset();
    gone->store(true);
  }
};

/// What a guarded disk and its files share.
struct Guard {
  std::string name;
  std::shared_ptr<DiskHealth> health;
  std::shared_ptr<CallThreads> threads;
  milliseconds limit;
  mutable std::mutex mutex{};     // guards inner
  std::shared_ptr<Disk> inner{};  // null until it is open, and when it was retired

  std::shared_ptr<Disk> disk() const {
    const std::lock_guard lock(mutex);
    return inner;
  }

  /// `call` owns what it works on: it may go on after this returned. One that is small is the
  /// drive's hanging after so many ticks.
  template <class Call>
  auto run(Call call, unsigned hung_ticks = kHungTicks, milliseconds extra = milliseconds(0)) const
      -> std::invoke_result_t<Call> {
    using Answer = std::invoke_result_t<Call>;
    struct State {
      std::mutex mutex;
      std::condition_variable done;
      std::optional<Answer> answer;
    };
    if (health->given_up()) {
      return fail(Errc::io_error, "drive " + name + " does not answer");
    }
    auto state = std::make_shared<State>();
    threads->post([state, call = std::move(call)]() mutable {
      Answer answer = call();
      {
        const std::lock_guard lock(state->mutex);
        state->answer = std::move(answer);
        state->done.notify_one();
      }
      state.reset();  // a file that nobody waits for goes before the disk that `call` keeps
    });
    const auto most = (limit + extra) / kWatchTick;
    std::unique_lock lock(state->mutex);
    for (unsigned ticks = 0; !state->answer;) {
      if (state->done.wait_for(lock, kWatchTick) == std::cv_status::timeout) {
        ++ticks;
        if (ticks >= kLateTicks && hung_ticks == kHungTicks) {
          health->saw_late(steady_ns());
        }
        if (ticks >= hung_ticks) {
          health->saw_hung(steady_ns());
        }
      }
      if (!state->answer && ticks >= most) {
        health->give_up();
      }
      if (!state->answer && health->given_up()) {
        return fail(Errc::io_error, "drive " + name + " does not answer");
      }
    }
    return *std::move(state->answer);
  }
};

class GuardedFile final : public File {
 public:
  GuardedFile(Disk& disk, const Guard& guard, std::shared_ptr<Disk> of, std::unique_ptr<File> inner)
      : x_disk(disk),
        x_guard(guard),
        x_file(inner.release(), [of = std::move(of)](const File* file) { delete file; }) {}

  int fd() const override { return x_file->fd(); }
  bool direct() const override { return x_file->direct(); }
  Disk& disk() const override { return x_disk; }
  std::shared_ptr<const void> share() const override { return x_file; }

  Result<std::uint64_t> size() const override {
    return x_guard.run([file = x_file] { return file->size(); });
  }
  Result<bool> whole() const override {
    return x_guard.run([file = x_file] { return file->whole(); });
  }
  Result<std::size_t> read_sync(std::uint64_t offset, MutBytes out) override {
    Buffer buffer = Buffer::make(out.size());
    TRY(const std::size_t got, x_guard.run([file = x_file, offset, buffer] {
      return file->read_sync(offset, buffer.writable());
    }));
    std::memcpy(out.data(), buffer.data(), got);
    return got;
  }
  Result<void> write_sync(std::uint64_t offset, ConstBytes data) override {
    Buffer buffer = Buffer::make(data.size());
    std::memcpy(buffer.data(), data.data(), data.size());
    return x_guard.run([file = x_file, offset, buffer = std::move(buffer)] {
      return file->write_sync(offset, buffer.view());
    });
  }
  Result<void> truncate(std::uint64_t size) override {
    return x_guard.run([file = x_file, size] { return file->truncate(size); });
  }
  Result<void> punch(std::uint64_t offset, std::uint64_t length) override {
    return x_guard.run([file = x_file, offset, length] { return file->punch(offset, length); });
  }
  Result<void> sync() override {
    return x_guard.run([file = x_file] { return file->sync(); }, kSyncHungTicks);
  }

 private:
  Disk& x_disk;
  const Guard& x_guard;                // the disk's
  const std::shared_ptr<File> x_file;  // keeps its own disk, too
};

class GuardedDisk final : public Disk {
 public:
  GuardedDisk(std::string name, milliseconds limit)
      : x_guard{.name = std::move(name),
                .health = health(),
                .threads = std::make_shared<CallThreads>(),
                .limit = limit} {}
  ~GuardedDisk() override { x_guard.threads->close(*health()); }

  template <class Opener>
  Result<void> begin(Opener opener) {
    TRY(std::unique_ptr<Disk> opened, x_guard.run(std::move(opener)));
    const auto inside = std::make_shared<Inside>(std::move(opened), x_gone);
    std::shared_ptr<Disk> inner(inside, inside->disk.get());
    x_stats = inner->share_stats();
    x_filesystem = inner->filesystem_id();
    x_parent_filesystem = inner->parent_filesystem_id();
    const std::lock_guard lock(x_guard.mutex);
    x_guard.inner = std::move(inner);
    return ok();
  }

  std::string_view name() const override { return x_guard.name; }
  DiskStats& stats() override { return *x_stats; }
  std::shared_ptr<DiskStats> share_stats() override { return x_stats; }
  std::string native_path(std::string_view path) const override {
    const std::shared_ptr<Disk> disk = x_guard.disk();
    return disk ? disk->native_path(path) : std::string();
  }
  std::uint64_t filesystem_id() const override { return x_filesystem; }
  std::uint64_t parent_filesystem_id() const override { return x_parent_filesystem; }

  // Files, calls and transfers that go on keep shares of it.
  void retire() override {
    health()->give_up();
    std::shared_ptr<Disk> last;  // closes the drive: not under the mutex
    const std::lock_guard lock(x_guard.mutex);
    last = std::exchange(x_guard.inner, nullptr);
  }
  bool released() const override { return x_guard.disk() == nullptr && x_gone->load(); }

  Result<std::unique_ptr<File>> open(std::string_view path, Access access, Cache cache) override {
    std::shared_ptr<Disk> of = x_guard.disk();
    TRY(auto file, on_path(path, [access, cache](Disk& disk, const std::string& p) {
          return disk.open(p, access, cache);
        }));
    return std::make_unique<GuardedFile>(*this, x_guard, std::move(of), std::move(file));
  }
  Result<void> prewrite(std::string_view path, std::uint64_t size) override {
    const auto call = [size](Disk& disk, const std::string& p) { return disk.prewrite(p, size); };
    return on_path(path, call, kNeverHung, kPerMib * (size >> 20));
  }
  void probe(std::string_view path, std::move_only_function<void()> answered) override {
    std::shared_ptr<Disk> inner = x_guard.disk();
    if (health()->given_up() || !inner) {
      return;
    }
    x_guard.threads->post(
        [disk = std::move(inner), path = std::string(path),
         answered = std::move(answered)]() mutable { disk->probe(path, std::move(answered)); });
  }
  Result<void> rename(std::string_view from, std::string_view to) override {
    return on_path(from, [to = std::string(to)](Disk& disk, const std::string& p) {
      return disk.rename(p, to);
    });
  }
  Result<void> remove(std::string_view path) override {
    return on_path(path, [](Disk& disk, const std::string& p) { return disk.remove(p); });
  }
  Result<void> make_dir(std::string_view path) override {
    return on_path(path, [](Disk& disk, const std::string& p) { return disk.make_dir(p); });
  }
  Result<void> remove_tree(std::string_view path) override {
    const auto call = [](Disk& disk, const std::string& p) { return disk.remove_tree(p); };
    return on_path(path, call, kNeverHung, kTreeLimit);
  }
  Result<void> sync_dir(std::string_view path) override {
    return on_path(path, [](Disk& disk, const std::string& p) { return disk.sync_dir(p); });
  }
  Result<std::vector<std::string>> list(std::string_view path) override {
    return on_path(path, [](Disk& disk, const std::string& p) { return disk.list(p); });
  }
  Result<bool> exists(std::string_view path) override {
    return on_path(path, [](Disk& disk, const std::string& p) { return disk.exists(p); });
  }
  Result<Space> space() override {
    return on_path("", [](Disk& disk, const std::string&) { return disk.space(); });
  }
  Result<void> lock() override {
    return on_path("", [](Disk& disk, const std::string&) { return disk.lock(); });
  }
  bool present() override {
    const Result<bool> there =
        on_path("", [](Disk& disk, const std::string&) -> Result<bool> { return disk.present(); });
    return there.value_or(false);
  }

 private:
  template <class Call>
  std::invoke_result_t<Call&, Disk&, const std::string&> on_path(
      std::string_view path,
      Call call,
      unsigned hung_ticks = kHungTicks,
      milliseconds extra = milliseconds(0)) {
    // Null when it was retired; then it was given up before, and run() makes no call.
    return x_guard.run([disk = x_guard.disk(), path = std::string(path),
                        call = std::move(call)]() mutable { return call(*disk, path); },
                       hung_ticks, extra);
  }

  Guard x_guard;
  const std::shared_ptr<std::atomic<bool>> x_gone = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<DiskStats> x_stats;
  std::uint64_t x_filesystem = 0, x_parent_filesystem = 0;
};

}  // namespace

Result<std::unique_ptr<Disk>> open_guarded(std::string name,
                                           DiskOpener opener,
                                           milliseconds call_limit) {
  auto disk = std::make_unique<GuardedDisk>(std::move(name), call_limit);
  TRYV(disk->begin(std::move(opener)));
  return disk;
}

Result<std::unique_ptr<Disk>> open_posix_disk(std::string path, std::shared_ptr<const void> keep) {
  return open_guarded(path, [path, keep = std::move(keep)] { return open_plain_disk(path); });
}

}  // namespace outcrop::io
