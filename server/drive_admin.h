// Drives for the admin API: JSON to and from the engine, and the paths of drives that were added at
// run time (STATE_DIR/drives.json), which count beside storage.drives at the next start.
#pragma once
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "api/admin/drive_routes.h"
#include "server/runtime.h"

namespace outcrop::engine {
class Engine;
struct EngineStats;
}  // namespace outcrop::engine

namespace outcrop::server {

/// storage.drives and what was added since, each once. Errors: config.
Result<std::vector<std::string>> all_drive_paths(const std::vector<std::string>& configured,
                                                 const std::filesystem::path& state_dir);

/// The answer of GET /v1/drives.
std::string drives_to_json(const engine::EngineStats& stats);

/// Calls arrive on the admin worker; the engine is asked on worker 0.
class DriveAdmin {
 public:
  /// `engine` gives null while the store is not open.
  DriveAdmin(Runtime& runtime,
             std::filesystem::path state_dir,
             std::vector<std::string> configured,
             std::function<engine::Engine*()> engine)
      : x_runtime(runtime),
        x_state_dir(std::move(state_dir)),
        x_configured(std::move(configured)),
        x_engine(std::move(engine)) {}

  admin::DriveSource source();

 private:
  Task<std::string> list();
  Task<std::string> add(std::string json);
  Task<std::string> change(unsigned slot, std::string json);
  Task<> remove(unsigned slot);
  Result<engine::Engine*> open_engine() const;
  Result<void> remember(const std::string& path, bool present);

  Runtime& x_runtime;
  const std::filesystem::path x_state_dir;
  const std::vector<std::string> x_configured;
  std::function<engine::Engine*()> x_engine;
  std::mutex x_mutex;  // the state file
};

}  // namespace outcrop::server
