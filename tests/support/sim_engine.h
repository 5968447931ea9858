// The whole storage engine on simulated drives, single-threaded and reproducible from a seed.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "storage/engine/engine.h"
#include "storage/io/faults.h"
#include "storage/io/sim_disk.h"

namespace outcrop::test {

/// One "process": opened on a world's drives, then closed, or dropped as if killed.
class SimEngine {
 public:
  /// With a plan, every call on a drive goes by it.
  explicit SimEngine(io::SimWorld& world,
                     std::uint64_t seed,
                     io::Disk* state_dir = nullptr,
                     std::shared_ptr<io::FaultPlan> plan = nullptr);
  ~SimEngine();

  /// `read_only`: engine::EngineConfig.
  Result<void> open(bool read_only = false);
  Result<void> close();
  /// EngineRuntime::floor of what is opened from now on; null, as at first: no time is kept.
  void keep_time(FlooredClock* floor) { x_floor = floor; }
  /// A drive of the world, as open() hands it to the engine.
  Result<std::unique_ptr<io::Disk>> open_disk(unsigned drive);
  ns::Namespace& ns() { return x_engine->ns(); }
  engine::Engine& engine() { return *x_engine; }

  /// By the engine: uuids.
  const std::vector<std::string>& forgotten() const { return x_forgotten; }

  template <class T>
  Result<T> run(Task<T> task) {
    return run_on(x_io, std::move(task));
  }

  /// The store has asked for a new start.
  bool restart_asked() const { return x_restart_asked; }
  /// From now on drives that do not answer are judged, beside whatever runs.
  void judge_drives();

  /// `sealed`: encrypted, all under one key.
  Result<void> put(std::string_view key, std::string_view content, bool sealed = false);
  Result<std::string> get(std::string_view key);
  Result<void> remove(std::string_view key);
  Result<void> copy(std::string_view from, std::string_view to);
  /// Parts of at least the configured minimum but the last.
  Result<void> multipart(std::string_view key,
                         const std::vector<std::string>& parts,
                         bool sealed = false);
  /// Every key and its content, by listing and reading; versions that are not current as "key#1"
  /// (the newest), "key#2" and so on.
  Result<std::map<std::string, std::string>> everything();

  static constexpr std::string_view kBucket = "bucket";

 private:
  std::vector<std::unique_ptr<io::Disk>> look(const std::vector<std::string>& in_use);

  io::SimWorld& x_world;
  io::Disk* const x_state_dir;
  const std::shared_ptr<io::FaultPlan> x_plan;
  asio::io_context x_io{1};
  asio::executor_work_guard<Executor> x_guard{x_io.get_executor()};
  SystemClock x_clock;
  FlooredClock* x_floor = nullptr;
  SeededRandom x_random;
  BlockingPool x_pool{0};
  std::unique_ptr<io::IoBackend> x_backend;
  std::vector<std::string> x_forgotten;
  bool x_restart_asked = false;
  std::unique_ptr<engine::Engine> x_engine;
  asio::steady_timer x_judge{x_io};
};

/// A formatted world of `drives` drives with an empty bucket.
io::SimWorld world_with_bucket(unsigned drives, unsigned parity, std::uint64_t seed);

/// `size` bytes that differ by seed and position.
std::string pattern(std::uint64_t seed, std::size_t size);

/// Writes `content` into a fresh ObjectWriter.
Task<std::unique_ptr<ns::ObjectWriter>> filled_writer(ns::Namespace& ns,
                                                      std::string_view bucket,
                                                      std::string_view key,
                                                      std::string_view content,
                                                      ns::WriteOptions how = {});
Task<std::string> read_all(ns::Namespace& ns,
                           std::string_view bucket,
                           std::string_view key,
                           std::string_view version_id = {});

}  // namespace outcrop::test
