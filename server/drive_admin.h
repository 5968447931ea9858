// Drives for the admin API: JSON to and from the engine, and what is noted down about their paths
// (drive_list.h).
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "api/admin/drive_routes.h"
#include "server/drive_list.h"
#include "server/runtime.h"

namespace outcrop::engine {
class Engine;
struct EngineStats;
}  // namespace outcrop::engine

namespace outcrop::server {

/// The answer of GET /v1/drives.
std::string drives_to_json(const engine::EngineStats& stats, const DriveList& list);

/// Calls arrive on the admin worker; the engine is asked on worker 0.
class DriveAdmin {
 public:
  /// `list` is the caller's, loaded before `engine` gives anything; that gives null while the store
  /// is not open.
  DriveAdmin(Runtime& runtime, DriveList& list, std::function<engine::Engine*()> engine)
      : x_runtime(runtime), x_list(list), x_engine(std::move(engine)) {}

  admin::DriveSource source();

 private:
  Task<std::string> list();
  Task<std::string> add(std::string json);
  Task<std::string> change(unsigned slot, std::string json);
  Task<> remove(unsigned slot);
  Result<engine::Engine*> open_engine() const;
  Task<unsigned> join(engine::Engine& engine,
                      const std::string& path,
                      std::optional<unsigned> replaces);

  Runtime& x_runtime;
  DriveList& x_list;
  std::function<engine::Engine*()> x_engine;
};

}  // namespace outcrop::server
