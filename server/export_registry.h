// What of NFS has to outlive a restart: the keys of file handles, the id of every path that was
// ever exported, and the exports that were added at run time. One file, <state_dir>/nfs.json
// (0600).
//
// Keys and ids share a file on purpose: without it there are new keys, so that handles of before
// are stale, and no id is ever read as that of another path.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "api/nfs/export.h"
#include "api/nfs/handle.h"
#include "storage/base/random.h"

namespace outcrop::server {

/// Any thread; blocks on the disk.
class ExportRegistry {
 public:
  /// Reads the file, or makes it. Errors: config, one line for the operator; a file that does not
  /// parse is never replaced.
  static Result<std::unique_ptr<ExportRegistry>> open(const std::filesystem::path& state_dir,
                                                      Random& random);

  nfs::HandleKeys handle_keys() const;
  /// Makes a new handle key; the current one becomes the previous one, which still opens handles,
  /// and the previous one is forgotten: mounts that are older than its successor get stale handles.
  /// Therefore conflict within kRotationInterval of the last time, unless it is forced. Durable on
  /// return.
  Result<nfs::HandleKeys> rotate_key(Random& random, std::int64_t now_seconds, bool force);
  static constexpr std::int64_t kRotationInterval = 7 * 24 * 3600;
  /// Names this server to NFSv4 clients; random, and the same for ever.
  std::string server_id() const;

  /// Fills the table at start: `configured`, then what was added at run time as far as it still
  /// fits (what does not is logged and left out).
  Result<void> publish(std::span<const nfs::Export> configured, nfs::ExportTable& table);

  /// Adds an export at run time; durable on return. already_exists, invalid_argument.
  Result<nfs::ExportPtr> add(nfs::Export wanted, nfs::ExportTable& table);
  /// not_found; invalid_argument for an export of the configuration file.
  Result<void> remove(std::string_view path, nfs::ExportTable& table);
  /// Whether the export was added at run time.
  bool added(std::string_view path) const;

 private:
  struct State {
    nfs::HandleKey current{}, previous{};
    std::uint8_t key_number = 1;
    std::int64_t rotated = 0;  ///< seconds since 1970; 0: never
    nfs::HandleKey server_id{};
    std::map<std::string, nfs::ExportId, std::less<>> ids;  ///< never shrinks
    std::vector<nfs::Export> added;
  };
  ExportRegistry(std::filesystem::path file, State state)
      : x_file(std::move(file)), x_state(std::move(state)) {}

  static Result<State> parse(std::string_view text);
  static std::string format(const State& state);
  static Result<void> give_id(State& state, nfs::Export& e);
  Result<void> save(State next);

  const std::filesystem::path x_file;
  mutable std::mutex x_mutex;
  State x_state;
};

}  // namespace outcrop::server
