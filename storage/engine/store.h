// The Engine of this folder: owns the parts, runs their background work, closes them in order.
#pragma once
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <optional>

#include "storage/drives/drive_set.h"
#include "storage/engine/engine.h"
#include "storage/meta/journaled_meta_store.h"
#include "storage/ns/make_namespace.h"
#include "storage/segment/segment_store.h"

namespace outcrop::engine {

class Store final : public Engine {
 public:
  Store(EngineConfig config, EngineRuntime runtime, std::unique_ptr<drives::DriveSet> drives);
  ~Store() override;

  /// Replays the journal, loads the catalogue, opens the namespace, starts background work.
  Task<> start();

  ns::Namespace& ns() override { return *x_ns; }
  ns::FileSystem& files() override { return x_ns->files(); }
  meta::MetaStore& meta() override { return *x_meta; }
  EngineStats stats() override;
  Task<> close() override;
  Task<std::uint64_t> collect_garbage() override;

 private:
  Async<> background();
  Task<> check_drives();
  Task<> measure_space();

  const EngineConfig x_config;
  const EngineRuntime x_runtime;
  std::unique_ptr<drives::DriveSet> x_drives;
  segment::SegmentStore x_segments;
  std::unique_ptr<meta::JournaledMetaStore> x_meta;
  std::unique_ptr<ns::TreeNamespace> x_ns;
  std::atomic<std::uint64_t> x_total_bytes{0}, x_free_bytes{0};  ///< after erasure coding
  std::optional<asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           Executor>>
      x_timer;
  bool x_stopping = false;
  bool x_background_runs = false;
  Resume<void> x_background_done;
};

}  // namespace outcrop::engine
