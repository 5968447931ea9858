// The Engine of this folder: owns the parts, runs their background work, closes them in order.
#pragma once
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <optional>

#include "storage/drives/drive_set.h"
#include "storage/engine/engine.h"
#include "storage/meta/journaled_meta_store.h"
#include "storage/segment/segment_store.h"

namespace outcrop::engine {

class Store final : public Engine {
 public:
  Store(EngineConfig config, EngineRuntime runtime, std::unique_ptr<drives::DriveSet> drives);
  ~Store() override;

  /// Replays the journal, loads the catalogue, opens the namespace, starts background work.
  Task<> start();

  ns::Namespace& ns() override { return *x_ns; }
  EngineStats stats() override;
  Task<> close() override;
  Task<std::uint64_t> collect_garbage() override;

 private:
  Async<> background();
  Task<> check_drives();

  const EngineConfig x_config;
  const EngineRuntime x_runtime;
  std::unique_ptr<drives::DriveSet> x_drives;
  segment::SegmentStore x_segments;
  std::unique_ptr<meta::JournaledMetaStore> x_meta;
  std::unique_ptr<ns::Namespace> x_ns;
  std::optional<asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           Executor>>
      x_timer;
  bool x_stopping = false;
  bool x_background_runs = false;
  Resume<void> x_background_done;
};

}  // namespace outcrop::engine
